/** What a call to a personal product says of its subject, and the request as it goes upstream, with the reference that
 *  the upstream knows in the subject's place. */
import type { Release } from '@comity/core/consent/release'
import { readDataCall, type DataCall } from './data-call.ts'
import type { DataOperation } from './data-plan.ts'
import type { FieldLabel } from './field-labels.ts'
import { memberAt, stepsOfPointer } from '../operations/json-pointer.ts'
import { spliceMember } from '../operations/json-splice.ts'
import type { JsonObject } from '../openapi/openapi.ts'
import { readParameter, writeQueryParameter, type Parameter } from '../operations/parameters.ts'
import { fillTemplate } from '../operations/path-template.ts'
import type { SubjectPlace } from './personal-config.ts'
import { subjectParameter } from './personal-subject.ts'
import { invalidBody, invalidParameters, type CheckedRequest } from '../operations/request-check.ts'
import { fieldsOfGroups, upstreamParameters, writeUpstreamParameter, type UpstreamQuery } from './upstream-query.ts'

/** Whom a call is about, and what it asks for. */
export interface PersonalCall extends DataCall {
  /** What the request names, decoded: a pairwise id (`ps_…`) or a reference of the holder's. */
  readonly subject: string
}

/** One operation about a person. */
export type PersonalOperation = DataOperation & { readonly subject: SubjectPlace }

/** True for an operation about a person. */
export function isPersonal(planned: DataOperation): planned is PersonalOperation {
  return planned.subject !== undefined
}

/** Longer references are refused. */
const maxSubjectLength = 256

/** Reads a checked request. Throws `invalid-parameters` or `invalid-body` when the subject is not named, and what
 *  `readDataCall` throws. */
export function readPersonalCall(
  checked: CheckedRequest,
  planned: PersonalOperation,
  labels: readonly FieldLabel[],
): PersonalCall {
  const subject = subjectOf(checked, planned.subject)
  return { ...readDataCall(checked, planned, labels), subject }
}

function subjectOf(checked: CheckedRequest, place: SubjectPlace): string {
  const text = subjectText(checked, place)
  const detail =
    text === undefined || text === '' ? 'names nobody' : text.length > maxSubjectLength ? 'is too long' : ''
  if (text !== undefined && detail === '') return text
  if (place.in === 'body') throw invalidBody({ pointer: place.pointer, detail })
  throw invalidParameters([{ parameter: place.name, in: place.in, detail }])
}

function subjectText({ texts, body }: CheckedRequest, place: SubjectPlace): string | undefined {
  if (place.in !== 'body') {
    return place.in === 'path' ? texts.path.get(place.name) : texts.query.get(place.name)?.[0]
  }
  const value = memberAt(body, stepsOfPointer(place.pointer))
  return Number.isSafeInteger(value) ? String(value) : typeof value === 'string' ? value : undefined
}

/** A request as the upstream gets it. */
export interface RequestForUpstream {
  readonly path: string
  readonly query: string
  readonly body: Buffer
}

/** Puts the reference in the subject's place and checks what could not be checked before. Throws `invalid-body`; an
 *  `Error` for a reference that the operation does not take, which is the holder's own fault. */
export function requestForUpstream(
  checked: CheckedRequest,
  planned: PersonalOperation,
  {
    reference,
    body,
    release,
  }: { readonly reference: string; readonly body: Buffer; readonly release?: Release | undefined },
): RequestForUpstream {
  const { operation, path } = checked
  const { subject } = planned
  if (subject.in !== 'body') ensureTaken(subjectParameter(operation, subject), reference)
  return {
    path: subject.in === 'path' ? pathWith(checked, subject.name, reference) : path,
    query: queryFor(checked, planned, { reference, release }),
    body: subject.in === 'body' ? bodyWith(checked, subject.pointer, { reference, body }) : body,
  }
}

function ensureTaken(parameter: Parameter | undefined, reference: string): void {
  const { error } =
    parameter === undefined ? { error: 'is missing' } : readParameter(parameter, [encodeURIComponent(reference)])
  if (error !== undefined) throw notTaken(error)
}

/** Says nothing of the reference: the message stands in the operator's log. */
const notTaken = (error: string) => new Error(`the reference of the subject does not fit the operation: ${error}`)

function pathWith({ operation, texts }: CheckedRequest, name: string, reference: string): string {
  return fillTemplate(operation.template, new Map([...texts.path, [name, reference]]))
}

/** The query of a labelled operation: without the fields asked for unless they go on, with the reference in the
 *  subject's place where it stands there, and with what the upstream is told of the release. */
export function queryFor(
  { operation, texts }: CheckedRequest,
  planned: DataOperation,
  { reference, release }: { readonly reference?: string | undefined; readonly release?: Release | undefined },
): string {
  const { subject, requestedFields: asked, forwardsRequestedFields, upstream } = planned
  const named = subject?.in === 'query' ? subject.name : undefined
  const own = upstream === undefined || release === undefined ? [] : ownParameters(planned, upstream, release)
  const written = [...texts.query].flatMap(([name, values]) => {
    const parameter = operation.queryParameters.get(name)
    if (parameter === undefined || (parameter === asked && !forwardsRequestedFields)) return []
    if (name === upstream?.fields?.parameter) return []
    const sent = name === named && reference !== undefined ? [reference] : values
    return [writeQueryParameter(parameter, parameter === asked ? withGroups(parameter, sent, release) : sent)]
  })
  // What the call says itself of a period or a filter stands: rows are left out here all the same.
  const added = own.filter(([name]) => name === upstream?.fields?.parameter || !texts.query.has(name))
  const all = [
    ...written,
    ...added.map(([name, values]) => writeUpstreamParameter(name, values, upstream?.fields?.separator)),
  ]
  return all.length === 0 ? '' : `?${all.join('&')}`
}

/** Rows are grouped by fields that the call need not ask for: the upstream must answer these too. */
function withGroups({ list }: Parameter, sent: readonly string[], release: Release | undefined): readonly string[] {
  const more = release === undefined ? [] : fieldsOfGroups(release)
  if (more.length === 0) return sent
  const fields = list ? sent : (sent[0] ?? '').split(',').map((field) => field.trim())
  const all = [...new Set([...fields, ...more])]
  return list ? all : [all.join(',')]
}

function ownParameters({ carries, layout }: DataOperation, query: UpstreamQuery, release: Release) {
  return upstreamParameters({ query, carries: carries.map(({ path }) => path), date: layout.date }, release)
}

/** A body that names the reference itself goes on as it came. */
function bodyWith(
  { body: value, content }: CheckedRequest,
  pointer: string,
  { reference, body }: { readonly reference: string; readonly body: Buffer },
): Buffer {
  const names = stepsOfPointer(pointer)
  const present = memberAt(value, names)
  if (present === reference || (typeof present === 'number' && String(present) === reference)) return body
  if (content === undefined || content.kind !== 'json') throw notTaken('the body is not JSON')
  const number = /^(?:0|-?[1-9]\d{0,15})$/.test(reference) ? [Number(reference)] : []
  const faults = []
  for (const candidate of [reference, ...number]) {
    const filled = replaced(value, names, candidate)
    const fault = content.check(filled)
    if (fault === undefined) return Buffer.from(spliceMember(body.toString('utf8'), names, JSON.stringify(candidate)))
    faults.push(fault)
  }
  const elsewhere = faults.find((fault) => fault.pointer !== pointer)
  throw elsewhere === undefined ? notTaken(faults[0]?.detail ?? '') : invalidBody(elsewhere)
}

function replaced(value: unknown, [name, ...rest]: readonly string[], leaf: unknown): unknown {
  if (name === undefined) return leaf
  const object = value as JsonObject
  const copy: Record<string, unknown> = Object.assign(Object.create(null) as Record<string, unknown>, object)
  copy[name] = replaced(object[name], rest, leaf)
  return copy
}
