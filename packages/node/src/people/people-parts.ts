/** Everything that the people's pages are made of. */
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { Database } from '../storage/database.ts'
import type { SubjectVault } from '../vault/vault.ts'
import type { GuessLimit } from './guess-limit.ts'
import type { Links } from './links.ts'
import type { Passkeys } from './passkeys.ts'
import type { PeopleStore } from './people-store.ts'
import type { FieldsOfProduct, PersonAccessLog, PersonConsents, PersonNames } from './ports.ts'
import type { PersonRights } from './rights-ports.ts'
import type { Sessions } from './sessions.ts'

/** What `createPeople` is given. */
export interface PeopleParts {
  readonly consents: PersonConsents
  readonly accessLog: PersonAccessLog
  readonly vault: Pick<SubjectVault, 'handleOf' | 'open' | 'unseal'>
  readonly database: Database
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  readonly newId: () => string
  readonly fieldsOf: FieldsOfProduct
  readonly names: PersonNames
  /** Of IANA, in which moments are told; UTC when absent. */
  readonly timeZone?: string | undefined
  /** Name of the organisation that holds the data. */
  readonly holder: string
  /** Origin under which people reach the pages. */
  readonly url: string
  /** The listener ends TLS itself; otherwise something in front does, and tells the person's address. */
  readonly endsTls: boolean
  /** What people ask about their data; without it the pages for that are not there. Asked for at each call. */
  readonly rights?: (() => PersonRights | undefined) | undefined
  /** Told of what is this node's fault. */
  readonly onError: (error: unknown) => void
}

/** What the routes are given. */
export interface PeopleServices extends PeopleParts {
  readonly store: PeopleStore
  readonly links: Links
  readonly sessions: Sessions
  readonly passkeys: Passkeys
  readonly guesses: GuessLimit
}
