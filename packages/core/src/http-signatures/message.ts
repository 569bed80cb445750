/** The parts of an HTTP message that a signature may cover (RFC 9421 §2), free of any HTTP library. */

/** A request as it was sent. The optional members serve only the rarer components of RFC 9421. */
export interface RequestParts {
  /** Case-sensitive, as sent. */
  readonly method: string
  /** Host and port in lower case, without the scheme's default port (RFC 9421 §2.2.3). */
  readonly authority: string
  /** `https` or `http`; needed for `@scheme` and `@target-uri` only. */
  readonly scheme?: string
  /** Raw path as sent, at least `/`. */
  readonly path: string
  /** `?` and the raw query; `?` alone when there is none (RFC 9421 §2.2.7). */
  readonly query: string
  /** Request target as sent (RFC 9421 §2.2.5); by default path and query, which is what a node sends. */
  readonly requestTarget?: string
  /** Whether content follows. By default told from `content-length` and `transfer-encoding` (RFC 9112 §6.3). */
  readonly hasBody?: boolean
  /** Combined value of a field (RFC 9110 §5.3); `name` in lower case. */
  header(name: string): string | undefined
  /** Field lines one by one, for `;bs`. By default the combined value as one line. */
  headerLines?(name: string): readonly string[]
  /** Combined value of a trailer field, for `;tr`. */
  trailer?(name: string): string | undefined
}

/** A response as it was sent. */
export interface ResponseParts {
  readonly status: number
  /** Whether content follows, like `RequestParts.hasBody`. */
  readonly hasBody?: boolean
  /** Combined value of a field (RFC 9110 §5.3); `name` in lower case. */
  header(name: string): string | undefined
  /** Field lines one by one, for `;bs`. */
  headerLines?(name: string): readonly string[]
  /** Combined value of a trailer field, for `;tr`. */
  trailer?(name: string): string | undefined
}

/** What a signature is over: a request, or a response and, for `;req` components, the request it answers. */
export type SignedMessage =
  | { readonly request: RequestParts; readonly response?: never }
  | { readonly response: ResponseParts; readonly request?: RequestParts }

/** Whether the message carries content: by its own word, else by its framing fields. */
export function hasBody(message: RequestParts | ResponseParts): boolean {
  if (message.hasBody !== undefined) return message.hasBody
  const length = message.header('content-length')
  if (length !== undefined) return length.trim() !== '0'
  return message.header('transfer-encoding') !== undefined
}
