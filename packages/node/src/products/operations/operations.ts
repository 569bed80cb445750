/** The operations of an OpenAPI 3.1 document, compiled to what a call is matched and checked by. */
import { declaredNames } from './declared-names.ts'
import { isObject, type DocumentError, type JsonObject, type OpenApiDocument } from '../openapi/openapi.ts'
import { DocumentFault, member, resolveObject, type Located } from '../openapi/references.ts'
import { compileContents, type Contents } from './contents.ts'
import { compileParameters, type Parameter } from './parameters.ts'
import { parseTemplate, type PathTemplate } from './path-template.ts'
import { createSchemaCompiler, type SchemaCompiler } from '../schemas/schema-compiler.ts'

export interface RequestBody {
  readonly required: boolean
  readonly contents: Contents
}

/** What an operation declares of the answers with one status. */
export interface DeclaredAnswer {
  readonly contents: Contents
}

/** One operation of a product. Plain data; nothing of it changes. */
export interface Operation {
  /** `operationId`, or method and template (`GET /athletes/{id}`) where there is none. */
  readonly id: string
  /** Upper case. */
  readonly method: string
  readonly template: PathTemplate
  readonly pathParameters: readonly Parameter[]
  readonly queryParameters: ReadonlyMap<string, Parameter>
  readonly headerParameters: readonly Parameter[]
  readonly requestBody: RequestBody | undefined
  /** By `200`, `2XX` or `default`. */
  readonly answers: ReadonlyMap<string, DeclaredAnswer>
  /** Lower-case names of the declared fields that may go upstream, beside the usual ones. */
  readonly requestFields: readonly string[]
  /** The same of the answer's. */
  readonly answerFields: readonly string[]
  /** Names of members that its document declares. */
  readonly declared: () => ReadonlySet<string>
}

export interface CompiledOperations {
  readonly operations: readonly Operation[]
  /** Checks of further schemas of the document, to be asked for before the first value is checked. */
  readonly compiler: SchemaCompiler
  /** Compiles every schema, one at a step; tells which cannot be. */
  compileEach(): Iterable<DocumentError | undefined>
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']

interface Compilation {
  readonly root: JsonObject
  readonly compiler: SchemaCompiler
  readonly errors: DocumentError[]
}

/** Compiles a document's operations. `errors` lists everything that is wrong; what is in `operations` is sound. */
export function compileOperations(document: OpenApiDocument): CompiledOperations & { errors: DocumentError[] } {
  const { root } = document
  const compilation: Compilation = { root, compiler: createSchemaCompiler(root), errors: [] }
  const operations: Operation[] = []
  const paths = member({ value: root, pointer: '' }, 'paths')
  for (const path of Object.keys(paths.value as JsonObject)) {
    if (path.startsWith('x-')) continue
    collect(compilation, () => operations.push(...compilePath(compilation, member(paths, path), path)))
  }
  collect(compilation, () => refuseRepetition(operations))
  return {
    operations,
    compiler: compilation.compiler,
    errors: compilation.errors,
    compileEach: () => compilation.compiler.compileEach(),
  }
}

function collect({ errors }: Compilation, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    errors.push(error.error)
  }
}

function compilePath(compilation: Compilation, place: Located, path: string): Operation[] {
  const pathItem = resolveObject(compilation.root, place)
  const template = parseTemplate(path, pathItem.pointer)
  if ('trace' in pathItem.value) throw new DocumentFault(`${pathItem.pointer}/trace`, 'TRACE is not served')
  const operations: Operation[] = []
  for (const method of methods) {
    const operation = member(pathItem, method)
    if (operation.value === undefined) continue
    collect(compilation, () =>
      operations.push(compileOperation(compilation, { pathItem, operation, method, template })),
    )
  }
  return operations
}

interface OperationPlace {
  readonly pathItem: Located<JsonObject>
  readonly operation: Located
  readonly method: string
  readonly template: PathTemplate
}

function compileOperation({ root, compiler }: Compilation, place: OperationPlace): Operation {
  const operation = resolveObject(root, place.operation)
  const { value, pointer } = operation
  const parameters = compileParameters(root, { pathItem: place.pathItem, operation }, compiler)
  const pathParameters = parameters.filter((parameter) => parameter.place === 'path')
  checkPathParameters(place.template, pathParameters, pointer)
  const method = place.method.toUpperCase()
  const headerParameters = parameters.filter((parameter) => parameter.place === 'header')
  const answers = compileAnswers(root, member(operation, 'responses'), compiler)
  return {
    id: typeof value.operationId === 'string' ? value.operationId : `${method} ${place.template.text}`,
    method,
    template: place.template,
    pathParameters,
    queryParameters: new Map(
      parameters.flatMap((parameter) => (parameter.place === 'query' ? [[parameter.name, parameter]] : [])),
    ),
    headerParameters,
    requestBody: compileBody(root, member(operation, 'requestBody'), compiler),
    answers: answers.byStatus,
    requestFields: headerParameters.map(({ name }) => name),
    answerFields: answers.fields,
    declared: () => declaredNames(root),
  }
}

function checkPathParameters(template: PathTemplate, parameters: readonly Parameter[], pointer: string): void {
  for (const name of template.names) {
    if (parameters.some((parameter) => parameter.name === name)) continue
    throw new DocumentFault(pointer, `the path parameter \`${name}\` is not declared`)
  }
  for (const { name, list } of parameters) {
    if (!template.names.includes(name)) throw new DocumentFault(pointer, `the path has no parameter \`${name}\``)
    if (list) throw new DocumentFault(pointer, `the path parameter \`${name}\` is a list, which is not taken here`)
  }
}

function compileBody(root: JsonObject, place: Located, compiler: SchemaCompiler): RequestBody | undefined {
  if (place.value === undefined) return undefined
  const body = resolveObject(root, place)
  const contents = compileContents(root, member(body, 'content'), compiler)
  if (contents.size === 0) throw new DocumentFault(body.pointer, 'declares no content')
  return { required: body.value.required === true, contents }
}

/** Fields that frame or secure an answer are the node's own to write. */
const keptAnswerFields =
  /^(set-cookie2?|connection|keep-alive|te|trailer|transfer-encoding|upgrade|content-.*|signature|signature-input|comity-.*|ratelimit.*|x-ratelimit-.*|proxy-.*|strict-transport-security|alt-svc|www-authenticate)$/

function compileAnswers(root: JsonObject, responses: Located, compiler: SchemaCompiler) {
  const byStatus = new Map<string, DeclaredAnswer>()
  const fields = new Set<string>()
  if (!isObject(responses.value)) throw new DocumentFault(responses.pointer, 'is missing')
  for (const status of Object.keys(responses.value)) {
    if (status.startsWith('x-')) continue
    if (!/^([1-5]\d\d|[1-5]XX|default)$/.test(status)) {
      throw new DocumentFault(responses.pointer, `\`${status}\` is not a status`)
    }
    const response = resolveObject(root, member(responses, status))
    byStatus.set(status, { contents: compileContents(root, member(response, 'content'), compiler) })
    const headers = member(response, 'headers').value
    for (const name of isObject(headers) ? Object.keys(headers) : []) {
      if (!keptAnswerFields.test(name.toLowerCase())) fields.add(name.toLowerCase())
    }
  }
  if (byStatus.size === 0) throw new DocumentFault(responses.pointer, 'declares no answer')
  return { byStatus, fields: [...fields] }
}

function refuseRepetition(operations: readonly Operation[]): void {
  const ids = new Set<string>()
  const places = new Set<string>()
  for (const { id, method, template } of operations) {
    if (ids.has(id)) throw new DocumentFault('/paths', `the operation \`${id}\` is declared twice`)
    ids.add(id)
    const place = `${method} ${template.shape}`
    if (places.has(place)) throw new DocumentFault('/paths', `\`${place}\` is declared by two templates`)
    places.add(place)
  }
}

/** What an operation declares for a status: exactly, by its class, or by default. */
export function declaredAnswer(operation: Operation, status: number): DeclaredAnswer | undefined {
  const { answers } = operation
  return answers.get(String(status)) ?? answers.get(`${Math.floor(status / 100)}XX`) ?? answers.get('default')
}
