/** The admin API's reference as a page for people, written from the OpenAPI document. It runs no script and loads
 *  nothing. */
import { createHash } from 'node:crypto'
import { textReply, type Reply } from '../http/problem-response.ts'
import type { JsonSchema } from './json-schemas.ts'
import type { OpenApiDocument, OpenApiOperation, OpenApiParameter, OpenApiResponse, Reference } from './openapi.ts'

const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:3rem}details{border-top:1px solid #8886;padding:.5rem 0}summary{cursor:pointer}code,pre{font:.9em ui-monospace,monospace}
pre{overflow:auto;padding:1rem;background:#8881}.method{display:inline-block;width:4.5rem;font-weight:600}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}`
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** `GET /docs`. */
export function referencePage(document: OpenApiDocument): Reply {
  const reply = textReply(200, pageOf(document), 'text/html; charset=utf-8')
  const guards = [
    'content-security-policy',
    policy,
    'x-content-type-options',
    'nosniff',
    'referrer-policy',
    'no-referrer',
  ]
  return { ...reply, headers: [...reply.headers, ...guards] }
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? '')
/** A sentence in which backticks stand around code. */
const prose = (text: string): string => escape(text).replace(/`([^`]+)`/g, '<code>$1</code>')

function pageOf({ info, tags, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(([method, operation]) => ({ path, method, operation: whole(operation, components) })),
  )
  const chapters = tags.map(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name))
    return `<section id="${name}"><h2>${name}</h2><p>${prose(description)}</p>${own.map(operationHtml).join('')}</section>`
  })
  const links = tags.map(({ name }) => `<a href="#${name}">${name}</a>`).join(' · ')
  const shapes = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${name}"><summary><code>${name}</code></summary>${schemaHtml(schema)}</details>`,
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(info.title)}</title><style>${style}</style></head><body><main><h1>${escape(info.title)}</h1>
<p>${prose(info.description)} The same for programs: <a href="/openapi.json">openapi.json</a></p><nav>${links} · <a href="#schemas">schemas</a></nav>
${chapters.join('\n')}<section id="schemas"><h2>schemas</h2>${shapes.join('\n')}</section></main></body></html>
`
}

interface WholeOperation extends OpenApiOperation {
  readonly parameters: readonly OpenApiParameter[]
  readonly responses: Readonly<Record<string, OpenApiResponse>>
}

/** With what it refers to in its place. */
function whole(operation: OpenApiOperation, { parameters, responses }: OpenApiDocument['components']): WholeOperation {
  const found = <T extends object>(entry: T | Reference, of: Readonly<Record<string, T>>): T[] => {
    if (!('$ref' in entry)) return [entry]
    const there = of[entry.$ref.slice(entry.$ref.lastIndexOf('/') + 1)]
    return there === undefined ? [] : [there]
  }
  const answers = Object.entries(operation.responses).flatMap(([status, entry]) =>
    found(entry, responses).map((one) => [status, one] as const),
  )
  return {
    ...operation,
    parameters: operation.parameters.flatMap((entry) => found(entry, parameters)),
    responses: Object.fromEntries(answers),
  }
}

interface ShownOperation {
  readonly path: string
  readonly method: string
  readonly operation: WholeOperation
}

function operationHtml({ path, method, operation }: ShownOperation): string {
  const { summary, description, parameters, requestBody, responses, operationId } = operation
  const told = description === undefined ? '' : `<p>${prose(description)}</p>`
  const body = Object.values(requestBody?.content ?? {}).map(({ schema }) => `<h4>Body</h4>${schemaHtml(schema)}`)
  const answers = Object.entries(responses).map(([status, response]) => responseHtml(status, response))
  return `<details id="${operationId}"><summary><span class="method">${method.toUpperCase()}</span><code>${escape(path)}</code> ${prose(summary)}</summary>${told}${parametersHtml(parameters)}${body.join('')}<h4>Answers</h4><table>${answers.join('')}</table></details>`
}

function parametersHtml(parameters: readonly OpenApiParameter[]): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(
    ({ name, in: place, required, description = '', schema }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${place}${required ? ', required' : ''}</td><td>${prose(description)} <code>${escape(JSON.stringify(schema))}</code></td></tr>`,
  )
  return `<h4>Parameters</h4><table>${rows.join('')}</table>`
}

function responseHtml(status: string, { description, content = {} }: OpenApiResponse): string {
  const shape = status.startsWith('2') ? Object.values(content).map(({ schema }) => schemaHtml(schema)) : []
  return `<tr><td>${status}</td><td>${prose(description)}${shape.join('')}</td></tr>`
}

/** JSON Schema as it is, each reference a link. */
function schemaHtml(schema: JsonSchema): string {
  const text = escape(JSON.stringify(schema, null, 2))
  const linked = text.replace(/&quot;#\/components\/schemas\/([\w.-]+)&quot;/g, '<a href="#schema-$1">$1</a>')
  return `<pre>${linked}</pre>`
}
