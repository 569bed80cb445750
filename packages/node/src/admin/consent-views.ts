/** The consent services' own values as the admin API shows them. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import type {
  ConsentUseView,
  ConsentView,
  DelegationView,
  HeldConsentView,
  HeldTokenView,
  TemplateView,
} from './consent-api.ts'
import type { Delegated, HeldConsentsPort, ShownHeld, SignedTemplate, Standing, UsesPort } from './consent-ports.ts'

const isoOrNone = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : formatDateTime(ms))

export function consentView({ id, state, recipient, rev, hash, notBeforeMs, expiresMs }: Standing): ConsentView {
  return { id, state, recipient, rev, hash, notBefore: isoOrNone(notBeforeMs), expires: isoOrNone(expiresMs) }
}

export function useView(use: Awaited<ReturnType<UsesPort['list']>>[number]): ConsentUseView {
  const { exchange, atMs, caller, product, purpose, released, withheld } = use
  return { exchange, at: formatDateTime(atMs), caller, product, purpose, released, withheld }
}

export function heldView({ held, details }: ShownHeld): HeldConsentView {
  const { id, consent, state, holder, source, delegation, rev, hash } = held
  return {
    id,
    consent,
    state,
    holder,
    source,
    delegation,
    rev,
    hash,
    expires: isoOrNone(held.expiresMs),
    lapses: isoOrNone(held.lapsesMs),
    label: details?.label,
    reference: details?.reference,
    subject: details?.subject,
    grants: details?.scopes,
    record: details?.record,
  }
}

export function tokenView({ chain, verified }: Awaited<ReturnType<HeldConsentsPort['token']>>): HeldTokenView {
  const { root, children, leaf } = verified
  return { token: chain, expires: formatDateTime(leaf.exp * 1_000), claims: [root, ...children] }
}

export function delegationView(delegated: Delegated): DelegationView {
  const { id, consent, holder, delegate, untilMs, createdMs, endedMs, endedBy, scopes: grants, dropped } = delegated
  const times = { until: formatDateTime(untilMs), created: formatDateTime(createdMs), ended: isoOrNone(endedMs) }
  return { id, consent, holder, delegate, ...times, endedBy, grants, dropped }
}

export function templateView({ id, version, hash, jws, signedMs, template }: SignedTemplate): TemplateView {
  return { id, version, title: template.title, hash, signed: formatDateTime(signedMs), jws }
}
