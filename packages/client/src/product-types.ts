/** What a product's calls take and give, derived from the `paths` type that openapi-typescript generates:
 *
 *      interface paths {
 *        '/athletes/{id}': {
 *          get: { parameters: { path: { id: number }; query?: { fields?: string } }
 *                 responses: { 200: { content: { 'application/json': Athlete } } } } } }                       */
import type { Answer, CallOptions } from './call-options.ts'

export type Method = 'get' | 'head' | 'options' | 'post' | 'put' | 'patch' | 'delete'

/** Templates of the paths that have the method. */
export type PathsWith<Paths, M extends Method> = {
  [P in keyof Paths]: Paths[P] extends Record<M, object> ? P : never
}[keyof Paths] &
  string

type OperationOf<Paths, P extends keyof Paths, M extends Method> =
  Paths[P] extends Record<M, infer Operation> ? Operation : never

/** Parameters in one place of the operation, else of the path item; `never` without any. */
type ParametersIn<Owner, Place extends string> = Owner extends { parameters: infer Parameters }
  ? Place extends keyof Parameters
    ? Exclude<Parameters[Place], undefined>
    : never
  : never

type Placed<Item, Operation, Place extends string> = [ParametersIn<Operation, Place>] extends [never]
  ? ParametersIn<Item, Place>
  : ParametersIn<Operation, Place>

/** The member is optional when everything in it is. */
type Member<Name extends string, Value> = [Value] extends [never]
  ? { readonly [N in Name]?: never }
  : Record<never, never> extends Value
    ? { readonly [N in Name]?: Value }
    : { readonly [N in Name]: Value }

type JsonType = `${string}json${string}`

type JsonContent<Holder> = Holder extends { content: infer Content }
  ? [keyof Content & JsonType] extends [never]
    ? undefined
    : Content[keyof Content & JsonType]
  : undefined

type BodyMember<Operation> = Operation extends { requestBody: infer Body extends object }
  ? { readonly body: JsonContent<Body> }
  : Operation extends { requestBody?: infer Body }
    ? [Exclude<Body, undefined>] extends [never]
      ? { readonly body?: never }
      : { readonly body?: JsonContent<Exclude<Body, undefined>> }
    : { readonly body?: never }

type SuccessKey = 200 | 201 | 202 | 203 | 204 | 205 | 206 | 207 | 208 | 226 | '2XX' | '2xx'

type Success<Responses> = keyof Responses & SuccessKey extends never
  ? 'default' extends keyof Responses
    ? JsonContent<Responses['default']>
    : unknown
  : { [S in keyof Responses & SuccessKey]: JsonContent<Responses[S]> }[keyof Responses & SuccessKey]

/** The JSON of an operation's successful answers; `undefined` where an answer has none. */
export type DataOf<Paths, P extends keyof Paths, M extends Method> = M extends 'head'
  ? undefined
  : OperationOf<Paths, P, M> extends { responses: infer Responses }
    ? Success<Responses>
    : unknown

/** What a call of the operation must and may be given. */
export type OptionsOf<Paths, P extends keyof Paths, M extends Method> = CallOptions &
  Member<'path', Placed<Paths[P], OperationOf<Paths, P, M>, 'path'>> &
  Member<'query', Placed<Paths[P], OperationOf<Paths, P, M>, 'query'>> &
  BodyMember<OperationOf<Paths, P, M>>

type Arguments<Options> = Record<never, never> extends Options ? [options?: Options] : [options: Options]

/** One method of a product that is described by types. */
export type TypedCall<Paths, M extends Method> = <P extends PathsWith<Paths, M>>(
  path: P,
  ...options: Arguments<OptionsOf<Paths, P, M>>
) => Promise<Answer<DataOf<Paths, P, M>>>
