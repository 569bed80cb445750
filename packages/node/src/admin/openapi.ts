/** The admin API as an OpenAPI 3.1 document, made of the schemas by which its routes judge what comes in. */
import { problemKinds, type ProblemCode } from '@comity/core/problems'
import { adminTags } from './admin-tags.ts'
import { declaredProblems } from './common-problems.ts'
import { jsonSchemas, type JsonSchema, type JsonSchemas } from './json-schemas.ts'
import { problemSchema } from './problem-schema.ts'
import type { AdminRoute } from './route.ts'
import { answerFields, requestFields, sharedParameters } from './route-fields.ts'
import { shownBy } from './versions.ts'

export interface OpenApiDocument {
  readonly openapi: '3.1.1'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  /** Path -> method in lower case -> operation. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly parameters: Readonly<Record<string, OpenApiParameter>>
    readonly responses: Readonly<Record<string, OpenApiResponse>>
    readonly securitySchemes: Readonly<Record<string, unknown>>
  }
  readonly [member: string]: unknown
}

export interface OpenApiParameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
}

export interface OpenApiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly parameters: readonly (OpenApiParameter | Reference)[]
  readonly requestBody?: { readonly required: boolean; readonly content: OpenApiContent }
  readonly responses: Readonly<Record<string, OpenApiResponse | Reference>>
}

/** To a component. */
export interface Reference {
  readonly $ref: string
}

export interface OpenApiResponse {
  readonly description: string
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: OpenApiContent
}

type OpenApiContent = Readonly<Record<string, { readonly schema: JsonSchema }>>

/** Of the routes, in their order. */
export function openApiOf(routes: readonly AdminRoute[]): OpenApiDocument {
  const schemas = jsonSchemas()
  const responses: Record<string, OpenApiResponse> = {}
  const making = { routes, schemas, problem: schemas.output(problemSchema), responses }
  const paths: Record<string, Record<string, OpenApiOperation>> = {}
  for (const route of routes) {
    const operations = (paths[route.path] ??= {})
    operations[route.method.toLowerCase()] = operationOf(route, {
      ...making,
      isVersioned: shownBy(routes, route) !== undefined,
    })
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Comity admin API',
      version: '1',
      description:
        'What the operator of a node may do, on the listener `listen.admin`. Each call carries the token that `comity init` wrote.',
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: Object.entries(adminTags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas.components).toSorted(([a], [b]) => (a < b ? -1 : 1))),
      parameters: sharedParameters,
      responses,

      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  }
}

interface Making {
  /** All. */
  readonly routes: readonly AdminRoute[]
  readonly schemas: JsonSchemas
  /** What refers to the problem document. */
  readonly problem: JsonSchema

  /** Answers that several routes have in common, by name. */
  readonly responses: Record<string, OpenApiResponse>
  readonly isVersioned: boolean
}

function operationOf(route: AdminRoute, making: Making): OpenApiOperation {
  const { schemas } = making
  const { method, path, tag, summary, description } = route
  const inPath = parametersIn('path', schemas.input(route.parameters))
  const inQuery = parametersIn('query', schemas.input(route.query))
  const takesBody = method !== 'GET' && method !== 'DELETE'
  const body = route.body === undefined ? { type: 'object', maxProperties: 0 } : schemas.input(route.body)
  return {
    operationId: operationId(method, path),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [...inPath, ...inQuery, ...requestFields(route, making.isVersioned)],
    ...(takesBody && {
      requestBody: { required: isBodyRequired(route), content: { 'application/json': { schema: body } } },
    }),
    responses: { ...successOf(route, making), ...problemsOf(route, making) },
  }
}

const isBodyRequired = ({ body, mayBeEmpty }: AdminRoute) => body !== undefined && mayBeEmpty !== true

/** `getPartnersByAlias` for `GET /v1/partners/{alias}`. */
function operationId(method: string, path: string): string {
  const words = path
    .split('/')
    .slice(2)
    .flatMap((part) => (part.startsWith('{') ? ['by', part.slice(1, -1)] : part.split('-')))
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('')
}

function parametersIn(place: 'path' | 'query', { properties = {}, required = [] }: JsonSchema): OpenApiParameter[] {
  return Object.entries(properties as Record<string, JsonSchema>).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: (required as readonly string[]).includes(name),
    ...(typeof description === 'string' && { description }),
    schema,
  }))
}

function successOf(route: AdminRoute, { schemas, routes }: Making): Record<string, OpenApiResponse> {
  const { status, result, summary } = route
  const headers = answerFields(route, routes)
  const told = Object.keys(headers).length === 0 ? {} : { headers }
  const content = result && { content: { 'application/json': { schema: schemas.output(result) } } }
  const unchanged =
    route.method === 'GET' && route.live === undefined
      ? { 304: { description: 'Nothing has changed since `If-None-Match`.' } }
      : {}
  return { [status]: { description: summary, ...told, ...content }, ...unchanged }
}

/** The problems by their status, which several have in common. */
function problemsOf(route: AdminRoute, { problem, responses }: Making): Record<string, Reference> {
  const byStatus = Map.groupBy(declaredProblems(route), (code) => problemKinds[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => {
      const name = ['Problem', status, ...some].join('-')
      responses[name] ??= problemResponse(some, problem)
      return [String(status), { $ref: `#/components/responses/${name}` }]
    }),
  )
}

function problemResponse(codes: readonly ProblemCode[], problem: JsonSchema): OpenApiResponse {
  const schema = { allOf: [problem, { properties: { code: { enum: codes } } }] }
  return {
    description: codes.map((code) => `\`${code}\`: ${problemKinds[code].title}.`).join(' '),
    content: { 'application/problem+json': { schema } },
  }
}
