/** One-time links to the people's pages. The holder sends them through a channel of its own; whoever has the link is
 *  taken for the person, so its secret stands nowhere but in the link. */
import type { ConsentGrantor } from '@comity/core/consent/consent-record'
import { Problem } from '@comity/core/problems'
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey } from '../vault/vault.ts'
import type { PeopleStore, StoredLink } from './people-store.ts'
import { isSecret, newSecret, secretHash } from './secrets.ts'

export interface LinksParts {
  readonly store: PeopleStore
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  /** Origin of the pages, `https://consent.example.org`. */
  readonly url: string
}

/** What a link is for. */
export type LinkRequest =
  | {
      readonly purpose: 'decide'
      readonly consent: string
      /** Who else than the subject may decide with it, and the subject's key to keep that under. */
      readonly grantor?: { readonly who: ConsentGrantor; readonly key: Pick<SubjectKey, 'seal'> } | undefined
      readonly lifetimeMs?: number | undefined
    }
  | {
      readonly purpose: 'manage'
      /** Handle. */
      readonly subject: string
      readonly lifetimeMs?: number | undefined
    }

export interface CreatedLink {
  readonly url: string
  readonly expiresMs: number
  /** The writes that make it count. */
  readonly statements: readonly Statement[]
}

export interface Links {
  create(request: LinkRequest): CreatedLink
  /** The link of a secret. Throws `link-invalid`, the same for one that never was, was used or is too old. */
  find(secret: string): Promise<StoredLink>
  /** Uses the link up. Throws `link-invalid` for a second use. */
  use(link: Pick<StoredLink, 'hash'>): Promise<void>
}

export const standardLinkLifetimeMs = 7 * 86_400_000

export function createLinks({ store, clock, randomBytes, url }: LinksParts): Links {
  return {
    create(request) {
      const secret = newSecret(randomBytes)
      const createdMs = clock.now()
      const expiresMs = createdMs + (request.lifetimeMs ?? standardLinkLifetimeMs)
      const statement = store.insertLink({ ...storedOf(request), hash: secretHash(secret), createdMs, expiresMs })
      return { url: `${url}/c/${secret}`, expiresMs, statements: [statement] }
    },
    async find(secret) {
      const link = isSecret(secret) ? await store.findLink(secretHash(secret)) : undefined
      if (link === undefined || link.usedMs !== undefined || link.expiresMs <= clock.now()) throw invalidLink()
      return link
    },
    async use({ hash }) {
      if (!(await store.useLink(hash, clock.now()))) throw invalidLink()
    },
  }
}

function storedOf(request: LinkRequest): Pick<StoredLink, 'purpose' | 'subject' | 'consent' | 'grantor'> {
  if (request.purpose === 'manage') {
    return { purpose: 'manage', subject: request.subject, consent: undefined, grantor: undefined }
  }
  const { consent, grantor } = request
  return { purpose: 'decide', subject: undefined, consent, grantor: grantor?.key.seal(JSON.stringify(grantor.who)) }
}

export function invalidLink(): Problem {
  return new Problem('link-invalid', 'the link was used, has expired or is not complete')
}
