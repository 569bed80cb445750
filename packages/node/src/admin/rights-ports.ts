/** What the admin API asks of people's requests and of duties. Each service writes its changes to the log in the
 *  transaction that makes them. */
import type { DutyKind, DutyOutcome } from '@comity/core/duties/duty-receipt'
import type { RightsRequest, RightsStatus, RightsType } from '@comity/core/rights/rights-request'
import type { Condition } from './route.ts'

export interface KnownDuty {
  readonly id: string
  readonly side: 'imposed' | 'owed'
  readonly kind: DutyKind
  readonly state: 'open' | 'done' | 'refused'
  readonly isOverdue: boolean
  readonly dueMs: number
  readonly createdMs: number
  readonly consent: string | undefined
  readonly holder: string
  readonly debtor: string
  readonly subject: string | undefined
  readonly rightsRequest: string | undefined
  readonly fields: readonly string[] | undefined
  readonly outcome: DutyOutcome | undefined
  readonly closedMs: number | undefined
  readonly receipt: string | undefined
}

export interface DutiesPort {
  list(filter: {
    readonly side?: KnownDuty['side'] | undefined
    readonly state?: KnownDuty['state'] | undefined
    readonly isOverdue?: boolean | undefined
    readonly consent?: string | undefined
    readonly before?: string | undefined
    readonly limit?: number | undefined
  }): Promise<readonly KnownDuty[]>
  show(id: string): Promise<KnownDuty>
  report(
    id: string,
    report: { readonly outcome: DutyOutcome; readonly ground?: string | undefined },
    condition?: Condition,
  ): Promise<KnownDuty & { readonly isNew: boolean; readonly discharged: readonly string[] }>
}

export interface KnownRequest {
  readonly id: string
  readonly type: RightsType
  readonly status: RightsStatus
  readonly receivedMs: number
  readonly dueMs: number
  readonly isOverdue: boolean
  readonly extension: string | undefined
  readonly closedMs: number | undefined
  readonly liftedMs: number | undefined
  readonly request: RightsRequest | undefined
  readonly tasks: readonly {
    readonly product: string
    readonly state: 'open' | 'done' | 'refused'
    readonly reportedMs: number | undefined
    readonly ground: string | undefined
  }[]
  readonly duties: readonly {
    readonly id: string
    readonly debtor: string
    readonly consent: string | undefined
    readonly state: 'open' | 'done' | 'refused'
    readonly outcome: DutyOutcome | undefined
    readonly receipt: string | undefined
  }[]
}

export interface RightsPort {
  open(
    person: { readonly subject: string; readonly reference: string },
    input: unknown,
    method: string,
  ): Promise<KnownRequest & { readonly isNew: boolean }>
  list(filter: {
    readonly subject?: string | undefined
    readonly isOpen?: boolean | undefined
    readonly before?: string | undefined
    readonly limit?: number | undefined
  }): Promise<readonly KnownRequest[]>
  show(id: string): Promise<KnownRequest>
  report(
    id: string,
    report: {
      readonly product: string
      readonly state: 'done' | 'refused'
      readonly ground?: string | undefined
      readonly data?: unknown
    },
    condition?: Condition,
  ): Promise<KnownRequest>
  extend(id: string, reason: string, condition?: Condition): Promise<KnownRequest>
  lift(id: string, condition?: Condition): Promise<KnownRequest>
  /** JSON text. */
  bundle(id: string): Promise<string>
}
