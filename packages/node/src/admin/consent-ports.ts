/** What the admin API asks of consents, both sides. Each service writes its changes to the log in the transaction that
 *  makes them. */
import type {
  ConsentActor,
  ConsentEvent,
  ConsentGrantor,
  ConsentProof,
  ConsentRecord,
  ConsentState,
  LocalisedText,
} from '@comity/core/consent/consent-record'
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import type { VerifiedChain } from '@comity/core/consent-token/consent-claims'
import type { Clock } from '@comity/core/ports'
import type { ConsentDetailsView } from './consent-api.ts'
import type { DutiesPort, RightsPort } from './rights-ports.ts'
import type { Condition } from './route.ts'

export interface ConsentAdminParts {
  /** Own DID. */
  readonly did: string
  readonly clock: Clock
  /** This organisation as it names itself in requests. */
  readonly participant: { readonly name: string; readonly country?: string | undefined }
  /** By alias or DID. */
  readonly findPartner: (aliasOrDid: string) => { readonly did: string } | undefined
  readonly consents: HolderConsentsPort
  readonly uses: UsesPort
  readonly subjects: SubjectsPort
  readonly held: HeldConsentsPort
  readonly delegations: DelegationsPort
  readonly templates: TemplatesPort
  readonly duties: DutiesPort
  readonly rights: RightsPort
  readonly webhooks: WebhooksPort
}

export interface WebhooksPort {
  /** Messages on their way first, then dead letters, then the latest. */
  list(limit: number): Promise<readonly WebhookMessage[]>
  /** Sends now what waits for its next try, and dead letters again: of one message or all, in one state or both, at one
   *  address or all. Gives how many. */
  replay(which: {
    readonly id?: string | undefined
    readonly state?: 'waiting' | 'dead' | undefined
    readonly address?: string | undefined
  }): Promise<number>
  /** Sends a test message to own systems. Throws `webhook-unknown` when none has the address. */
  testOwn(address: string): Promise<readonly WebhookTest[]>
}

/** How one receiver took a test message. */
export interface WebhookTest {
  readonly address: string
  readonly taken: boolean
  readonly reason?: string
}

/** One that was dropped has neither a payload nor a time of delivery. */
export interface WebhookMessage {
  readonly id: string
  /** Of the receiver, without what may be a secret of it. */
  readonly address: string
  readonly type: string
  readonly attempts: number
  readonly nextAttemptMs: number
  readonly deadMs: number | undefined
  readonly payload: string | undefined
  readonly occurredMs: number
  readonly deliveredMs: number | undefined
  readonly lastError: string | undefined
  /** Whose webhook it goes to; undefined for an own system, and for a webhook that is gone. */
  readonly client: string | undefined
  readonly isOfClient: boolean
}

export interface Standing {
  readonly id: string
  readonly state: ConsentState
  readonly rev: number
  readonly hash: string | undefined
  readonly recipient: string
  /** Handle. */
  readonly subject: string
  readonly notBeforeMs: number | undefined
  readonly expiresMs: number | undefined
}

export interface Decision {
  readonly role: 'subject' | 'grantor'
  readonly grantor?: ConsentGrantor | undefined
  readonly method: string
  readonly lang: string
  readonly presentedMs: number
}

export interface Change {
  readonly by: ConsentActor
  readonly actorId: string
  readonly method: string
  readonly reason?: { readonly code: string; readonly text?: string | undefined } | undefined
}

interface Draft {
  readonly record: ConsentRecord
  readonly hash: string
}

type RequestView = Omit<NonNullable<ConsentDetailsView['request']>, 'requested' | 'lapses'> & {
  readonly requestedMs: number
  readonly lapsesMs: number
}

export interface HolderConsentsPort {
  find(id: string): Promise<Standing | undefined>
  request(id: string): Promise<RequestView>
  records(id: string): Promise<readonly ConsentRecord[]>
  events(id: string): Promise<readonly ConsentEvent[]>
  list(filter: {
    readonly subject?: string | undefined
    readonly recipient?: string | undefined
    readonly state?: ConsentState | undefined
    readonly before?: string | undefined
    readonly limit?: number | undefined
  }): Promise<readonly Standing[]>
  referenceOf(id: string): Promise<string | undefined>
  present(id: string, by: Decision): Promise<void>
  draft(
    id: string,
    choice: {
      readonly grants: readonly { readonly id: string; readonly fields?: readonly string[] | undefined }[]
      readonly expires?: string | undefined
    },
    by: Decision,
  ): Promise<Draft>
  grant(draft: Draft, proof: ConsentProof, by: Decision): Promise<Standing>
  refuse(id: string, by: Decision): Promise<Standing>
  defer(id: string, by: Decision): Promise<Standing>
  pause(id: string, change: Change): Promise<Standing>
  resume(id: string, change: Change): Promise<Standing>
  withdraw(id: string, change: Change): Promise<Standing>
  revoke(id: string, change: Change): Promise<Standing>
  /** Works in a turn of one consent, once the condition holds: nobody takes a step of it in between. */
  changeIf<T>(id: string, condition: Condition | undefined, work: (consents: ConsentsInTurn) => Promise<T>): Promise<T>
}

/** Consents as the work of a turn sees them: its steps wait for no turn. */
export type ConsentsInTurn = Omit<HolderConsentsPort, 'changeIf'>

export interface UsesPort {
  /** Newest first; `before` is the exchange that the page before ended with. */
  list(filter: {
    readonly subject: string
    readonly consent?: string | undefined
    readonly before?: string | undefined
    readonly limit: number
  }): Promise<
    readonly {
      readonly exchange: string
      readonly atMs: number
      readonly caller: string
      readonly product: string
      readonly purpose: string | undefined
      readonly released: readonly string[]
      readonly withheld: readonly string[]
    }[]
  >
}

export interface SubjectsPort {
  /** Handle of a person by the reference of the holder's systems, or by a pairwise id. */
  handleOf(reference: string): string
  createManageLink(reference: string): Promise<{ readonly url: string; readonly expiresMs: number }>
  /** To decide on a request; `grantor` is who else than the subject may decide with it. Throws `consent-unknown`. */
  createDecideLink(
    consent: string,
    grantor?: ConsentGrantor,
  ): Promise<{ readonly url: string; readonly expiresMs: number }>
  erase(reference: string): Promise<{ readonly ended: number; readonly forgotten: number }>
  /** Ends the person's sessions and their links to all consents, and forgets their passkeys. */
  reset(reference: string): Promise<void>
  /** Lets a person who was erased begin anew; changes nothing for anybody else. */
  readmit(reference: string): Promise<void>
}

export interface Held {
  readonly id: string
  readonly consent: string
  readonly holder: string
  readonly source: string
  readonly delegation: string | undefined
  readonly state: ConsentState
  readonly rev: number
  readonly hash: string | undefined
  readonly expiresMs: number | undefined
  readonly lapsesMs: number | undefined
}

export interface ShownHeld {
  readonly held: Held
  readonly details:
    | {
        readonly label?: string | undefined
        readonly reference?: string | undefined
        readonly subject?: string | undefined
        readonly scopes?: readonly ConsentScope[] | undefined
        readonly record?: ConsentRecord | undefined
      }
    | undefined
}

export interface HeldConsentsPort {
  ask(ask: { readonly partner: string; readonly request: unknown; readonly label?: string | undefined }): Promise<Held>
  refresh(id: string): Promise<Held>
  show(id: string): Promise<ShownHeld>
  list(question: {
    readonly state?: ConsentState | undefined
    readonly holder?: string | undefined
    readonly subject?: string | undefined
    readonly label?: string | undefined
    readonly before?: string | undefined
    readonly limit?: number | undefined
  }): Promise<readonly ShownHeld[]>
  revoke(id: string, reason?: string): Promise<Held>
  token(id: string): Promise<{ readonly chain: string; readonly verified: VerifiedChain }>
}

export interface Delegated {
  readonly id: string
  readonly consent: string
  readonly holder: string
  readonly delegate: string
  readonly untilMs: number
  readonly createdMs: number
  readonly endedMs: number | undefined
  readonly endedBy: 'order' | 'narrowing' | 'consent' | undefined
  readonly scopes: readonly ConsentScope[] | undefined
  readonly dropped: readonly string[]
}

export interface DelegationsPort {
  delegate(order: {
    readonly consent: string
    readonly delegate: string
    readonly parts: readonly (Pick<ConsentScope, 'grant'> & Partial<ConsentScope>)[]
    readonly untilMs: number
  }): Promise<Delegated>
  end(id: string): Promise<Delegated>
  list(): Promise<readonly Delegated[]>
}

export interface SignedTemplate {
  readonly id: string
  readonly version: string
  readonly hash: string
  readonly jws: string
  readonly signedMs: number
  readonly template: { readonly title: LocalisedText; readonly kind: 'personal' | 'business' }
}

export interface TemplatesPort {
  sign(value: unknown): Promise<SignedTemplate>
  list(): Promise<readonly SignedTemplate[]>
  find(id: string, version?: string): Promise<SignedTemplate>
}
