/** The parts of an application's composite: read, each with its partner, its agreement and its consent, and put together
 *  by the holders that are to be asked. */
import { z } from 'zod'
import { parseTarget } from '@comity/core/exchange/path'
import { splitProductAddress } from '@comity/core/exchange/product-address'
import { Problem } from '@comity/core/problems'
import { asProblem } from '../../http/problem-response.ts'
import type { ReceivedRequest } from '../../http/received-request.ts'
import type { AttachedConsent } from '../outbound/outbound-consent.ts'
import {
  findAgreement,
  findConsent,
  findPartner,
  type AskedCall,
  type PartiesParts,
  refusedCall,
  type RefusedCall,
} from '../outbound/outbound-parties.ts'
import { presentedConsent } from '../outbound/presented-consent.ts'
import type { PartnerLink } from '../outbound/send-request.ts'
import type { SentPart } from './composite-check.ts'
import { askedSchema, fieldValue, partsOf, readParts, type WirePart } from './composite-request.ts'

const partSchema = z.strictObject({
  ...askedSchema,
  /** Alias or DID. */
  partner: fieldValue(2_048),
  /** Id of a consent or a delegation. */
  consent: fieldValue(256).optional(),
})
const localParts = partsOf(partSchema)

/** One part as an application asks for it. */
export type LocalPart = Readonly<z.infer<typeof partSchema>>

/** Reads an application's request. Throws as `parseWireParts` does. */
export function parseLocalParts(body: Uint8Array): ReadonlyMap<string, LocalPart> {
  return readParts(body, localParts)
}

/** A part that can be sent. */
export interface ReadyPart {
  readonly name: string
  readonly partner: PartnerLink
  readonly wire: WirePart
  readonly agreementId: string | undefined
  readonly consent: AttachedConsent | undefined
}

/** A part, or why this node does not send it. */
export type PreparedPart = ReadyPart | RefusedPart

interface RefusedPart extends RefusedCall {
  readonly name: string
  readonly problem: Problem
}

/** Finds what a part needs. `purpose` is the one of the parts that name none. */
export async function preparePart(
  { name, part, purpose }: { readonly name: string; readonly part: LocalPart; readonly purpose: string | undefined },
  parts: PartiesParts,
): Promise<PreparedPart> {
  try {
    const { partner: alias, consent: _, ...asked } = { ...part, purpose: part.purpose ?? purpose }
    const partner = findPartner(parts, alias)
    const request = askedCall(part, asked.purpose)
    const called = { partner, product: splitProductAddress(part.product).id }
    const consent = await findConsent(parts, request, called)
    const agreementId = consent?.isDelegated === true ? undefined : findAgreement(parts, request, called)
    return underConsent({ name, partner, wire: wireOf(asked, agreementId), agreementId, consent }, consent)
  } catch (error) {
    const { partner, product } = part
    return { name, problem: asProblem(error), ...refusedCall(parts, partner, splitProductAddress(product).id) }
  }
}

function wireOf(
  asked: { readonly [Name in keyof WirePart]: WirePart[Name] | undefined },
  agreement?: string,
): WirePart {
  const given = Object.entries({ ...asked, agreement }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as WirePart
}

/** The part with the token of a consent. */
export function underConsent(part: ReadyPart, consent: AttachedConsent | undefined): ReadyPart {
  if (consent === undefined) return part
  return { ...part, consent, wire: { ...part.wire, authorization: consent.authorization } }
}

/** What of a part says under what it is asked, as the head of a call by itself would. */
function askedCall(part: LocalPart, purpose: string | undefined): AskedCall {
  const { product, path, query, agreement, consent, subject } = part
  const fields: Readonly<Record<string, string | undefined>> = {
    'comity-purpose': purpose,
    'comity-agreement': agreement,
    'comity-consent': consent,
    'comity-subject': subject,
  }
  const target = parseTarget(`/x/${product}${path}${query === undefined || query === '' ? '' : `?${query}`}`)
  return { ...target, header: (name) => fields[name] }
}

/** As it is held against the receipt. */
export function sentPart({ name, wire, agreementId }: ReadyPart): SentPart {
  const { product, purpose, authorization } = wire
  return { name, product, purpose, agreementId, consentId: presentedConsent(authorization)?.id }
}

/** The parts that go to one holder, and the person whom they are about, by pairwise id. */
export interface HolderParts {
  readonly partner: PartnerLink
  readonly about: string | undefined
  readonly parts: readonly ReadyPart[]
}

/** By holder. Throws `composite-mixed` when the parts for one of them are about several people. */
export function byHolder(ready: readonly ReadyPart[]): HolderParts[] {
  return [...Map.groupBy(ready, ({ partner }) => partner.did).values()].map((parts) => {
    const people = new Set(parts.flatMap(({ wire }) => presentedConsent(wire.authorization)?.subject ?? []))
    if (people.size > 1) {
      throw new Problem('composite-mixed', 'the parts for one partner are about different people')
    }
    const [{ partner }] = parts as [ReadyPart]
    return { partner, about: [...people][0], parts }
  })
}

/** Fields of the application's request that go on with all its parts. */
export const sharedFields = ['accept-language', 'comity-actor'] as const

/** The purpose of the parts that name none. */
export const purposeOf = (request: ReceivedRequest): string | undefined => request.header('comity-purpose')
