/** The events of other nodes that are about consents and duties. */
import {
  consentChanged,
  consentDelegated,
  delegationEnded,
  dutyImposed,
  dutyReported,
} from '@comity/core/events/event-types'

export const consentEvents = [consentChanged, consentDelegated, delegationEnded, dutyImposed, dutyReported] as const
