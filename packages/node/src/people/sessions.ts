/** Sessions of people at the pages: opened by a link, carried by a cookie, ended by a quarter of an hour of silence. */
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { PeopleStore, StoredLink, StoredSession } from './people-store.ts'
import { formToken, isFormToken, isSecret, newSecret, secretHash } from './secrets.ts'

export const sessionIdleMs = 15 * 60_000
const sessionLongestMs = 4 * 3_600_000
/** How long the page of a link may wait for its button. */
const entrySeconds = 15 * 60
/** A session that is used is written down this often, not with each click. */
const seenEveryMs = 60_000

/** A session together with what its cookie holds. */
export interface Session extends StoredSession {
  readonly secret: string
  /** For its forms. */
  readonly form: string
}

export interface OpenedBy {
  readonly link: StoredLink
  /** Handle. */
  readonly subject: string
  /** The person's languages, best first, with commas. */
  readonly languages: string
}

export interface Sessions {
  open(by: OpenedBy): Promise<Session>
  /** The session of a request, noted as seen; undefined when there is none or it ran out. */
  find(cookieField: string | undefined, languages?: string): Promise<Session | undefined>
  end(session: Session): Promise<void>
  /** Before there is a session: a cookie of the browser's, kept as it is when it is there, and the token of the forms
   *  that belong to it. Nothing of it is stored. */
  entry(cookieField: string | undefined): { readonly cookie: string; readonly form: string }
  /** True for a form's token that belongs to the browser's cookie. */
  isEntry(cookieField: string | undefined, token: string | undefined): boolean
  /** Value of `Set-Cookie` that carries the session, or takes it away. */
  cookie(session: Session | undefined): string
}

export interface SessionsParts {
  readonly store: PeopleStore
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  readonly url: string
}

export function createSessions({ store, clock, randomBytes, url }: SessionsParts): Sessions {
  const isSecure = url.startsWith('https:')
  // Without TLS, which only this machine's own address has, browsers refuse the prefix.
  const name = isSecure ? '__Host-comity' : 'comity-person'
  const entryName = `${name}-entry`
  const entryOf = (cookieField: string | undefined): string | undefined => {
    const secret = cookieOf(cookieField, entryName)
    return secret !== undefined && isSecret(secret) ? secret : undefined
  }
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
  return {
    async open({ link, subject, languages }) {
      const secret = newSecret(randomBytes)
      const openedMs = clock.now()
      const { hash, purpose, consent, grantor } = link
      const row = { link: hash, purpose, subject, consent, grantor, languages, openedMs, seenMs: openedMs }
      const stored = { ...row, hash: secretHash(secret) }
      await store.insertSession(stored)
      return { ...stored, secret, form: formToken(secret), decision: undefined, challenge: undefined }
    },
    async find(cookieField, languages) {
      const secret = cookieOf(cookieField, name)
      if (secret === undefined || !isSecret(secret)) return undefined
      const stored = await store.findSession(secretHash(secret))
      if (stored === undefined) return undefined
      const nowMs = clock.now()
      if (hasEnded(stored, nowMs)) return undefined
      const seen = { atMs: nowMs, languages: languages ?? stored.languages }
      if (nowMs - stored.seenMs >= seenEveryMs || seen.languages !== stored.languages) {
        await store.saveSeen(stored.hash, seen)
      }
      return { ...stored, languages: seen.languages, secret, form: formToken(secret) }
    },
    end: ({ hash }) => store.deleteSession(hash),
    entry(cookieField) {
      const secret = entryOf(cookieField) ?? newSecret(randomBytes)
      return { cookie: `${entryName}=${secret}; ${attributes}; Max-Age=${entrySeconds}`, form: formToken(secret) }
    },
    isEntry(cookieField, token) {
      const secret = entryOf(cookieField)
      return secret !== undefined && isFormToken(token, secret)
    },
    cookie: (session) =>
      session === undefined ? `${name}=; ${attributes}; Max-Age=0` : `${name}=${session.secret}; ${attributes}`,
  }
}

function hasEnded({ seenMs, openedMs }: StoredSession, nowMs: number): boolean {
  return nowMs - seenMs > sessionIdleMs || nowMs - openedMs > sessionLongestMs
}

/** A cookie that comes twice counts as none: one of them is somebody else's. */
function cookieOf(field: string | undefined, name: string): string | undefined {
  const values = (field ?? '')
    .split(/[;,]/)
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
  return values.length === 1 ? values[0]?.slice(name.length + 1) : undefined
}
