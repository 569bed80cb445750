/** One route of the admin API, declared by the schemas that judge what comes in and that the OpenAPI document is made
 *  of. Only what they accepted reaches `answer`. */
import type { ProblemCode } from '@comity/core/problems'
import { z } from 'zod'
import type { AdminTag } from './admin-tags.ts'
import { parseInput } from './input.ts'
import type { DeepReadonly } from './shapes.ts'

export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Member -> schema, of a path's or a query's parameters. */
export type Fields = Readonly<Record<string, z.ZodType>>
type Read<F extends Fields> = z.output<z.ZodObject<F, z.core.$strict>>

/** One call, as it came. */
export interface AdminCall {
  /** The parameters of the path, decoded. */
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** The JSON value of the body; undefined for methods without one. */
  readonly body: unknown
  /** What the caller makes the change depend on; undefined for calls without `If-Match`. */
  readonly condition?: Condition | undefined
}

/** Throws `precondition-failed` unless what would be changed is what the caller saw. */
export type Condition = () => Promise<void>

/** How a list goes on: the parameter that names the last entry of a page, and that name of an entry. */
interface Paging<Entry> {
  readonly by: string
  keyOf(entry: Entry): string | number
}

interface RouteFacts {
  readonly method: RouteMethod
  /** `/v1/partners/{alias}`. */
  readonly path: string
  readonly tag: AdminTag
  /** A sentence of what it does, as the reference shows it. */
  readonly summary: string
  readonly description?: string
  /** Codes that it may answer with, beside those that any call may meet. */
  readonly problems?: readonly ProblemCode[]
  /** Largest body, in bytes; 1 MiB unless told. */
  readonly maxBodyBytes?: number
  /** For a `POST` that changes nothing. */
  readonly reads?: true
  /** The body may be left out; it is `{}` then. */
  readonly mayBeEmpty?: true
  /** A partner's node is asked. Whatever it answers is told under the codes that the route declares. */
  readonly asksPartner?: true
  /** For a `GET`: members of its result, or of the entries of its list, that change without anybody changing what is
   *  shown: when something was used, how often, what waits. Tags do not follow them. */
  readonly live?: readonly string[]
  /** For a 201: the path that shows what was made, where it is not the one below the path of the call. */
  readonly shownAt?: string
  /** The member of the answer that is what was made, where it is not the whole. */
  readonly madeIn?: string
  /** `answer` looks at the condition itself, where nothing can come between it and the change. */
  readonly guards?: true
}

interface Declared<P extends Fields, Q extends Fields, B extends z.ZodType, R extends z.ZodType> extends RouteFacts {
  /** Of every `{…}` in the path. */
  readonly parameters?: P
  readonly query?: Q
  /** Of the JSON body; without it the method takes none, or `{}`. */
  readonly body?: B
  /** Status of a success; 204 has no content. 200 unless told. */
  readonly status?: 200 | 201 | 204
  /** Of the answer; none with 204. */
  readonly result?: R
  /** For a list: its query takes `limit` and the parameter `by`. */
  readonly paging?: Paging<z.output<R> extends readonly (infer Entry)[] ? DeepReadonly<Entry> : never>
  /** What cannot wait, neither for a turn nor for the storage; for calls without a condition. What it gives takes it back,
   *  where the call turns out to be none. Its problems are those of `answer`, which follows. */
  atOnce?(call: { readonly path: Read<P>; readonly body: z.output<B> }): () => void
  answer(call: {
    readonly path: Read<P>
    readonly query: Read<Q>
    readonly body: z.output<B>
    readonly condition: Condition | undefined
  }): Answer<R> | Promise<Answer<R>>
}

type Answer<R extends z.ZodType> = z.ZodType extends R ? unknown : DeepReadonly<z.output<R>>

/** A route as the handler, the reference and the tests use it. */
export interface AdminRoute extends RouteFacts {
  readonly parameters: z.ZodObject
  readonly query: z.ZodObject
  readonly body: z.ZodType | undefined
  readonly status: 200 | 201 | 204
  readonly result: z.ZodType | undefined
  readonly isPaged: boolean
  /** The query of the page after this one; undefined when the list is at its end, or is none. */
  nextPage(query: AdminCall['query'], value: unknown): Record<string, string> | undefined
  /** Throws `malformed-request` for what its schemas do not accept. */
  judge(call: AdminCall): void
  /** Does what cannot wait, and gives what takes it back. */
  atOnce(call: AdminCall): () => void
  /** Gives the JSON value of the answer. Throws what `judge` throws. */
  answer(call: AdminCall): Promise<unknown>
}

/** Declares a route: its `answer` is given what the schemas made of the call. */
export function defineRoute<
  P extends Fields = Record<never, never>,
  Q extends Fields = Record<never, never>,
  B extends z.ZodType = z.ZodUndefined,
  R extends z.ZodType = z.ZodType,
>(declared: Declared<P, Q, B, R>): AdminRoute {
  const { paging, answer, atOnce, body, result, status = 200, ...facts } = declared
  const parameters = z.strictObject(declared.parameters ?? {})

  const query = z.strictObject(declared.query ?? {})
  const read = (call: AdminCall) => ({
    path: parseInput(parameters, call.path) as Read<P>,
    query: parseInput(query, call.query) as Read<Q>,
    body: (body === undefined ? undefined : parseInput(body, call.body)) as z.output<B>,
    condition: call.condition,
  })

  return {
    ...facts,
    parameters,
    query,
    body,
    status,
    result,
    isPaged: paging !== undefined,
    nextPage: (given, value) =>
      paging && nextPage(paging as Paging<unknown>, { given, read: query.parse(given) }, value),
    judge: (call) => void read(call),
    atOnce(call) {
      try {
        return atOnce?.(read(call)) ?? nothing
      } catch {
        return nothing
      }
    },
    answer: async (call) => answer(read(call)),
  }
}

const nothing = (): void => undefined

/** A full page may have another behind it; one that is not full is the last. */
function nextPage(
  { by, keyOf }: Paging<unknown>,
  { given, read }: { readonly given: AdminCall['query']; readonly read: Record<string, unknown> },
  value: unknown,
): Record<string, string> | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length !== read['limit']) return undefined
  return { ...given, [by]: String(keyOf(value.at(-1))) }
}
