/** The check that every call about a person passes: the tokens, the consent's own row, the subject, the scope, the
 *  place, the counters, in this order. */
import { decideConsent, type ScopeQuestion, type ScopeVerdict } from '@comity/core/consent/decide-consent'
import type { Release } from '@comity/core/consent/release'
import type { VerifiedChain } from '@comity/core/consent-token/consent-claims'
import { Problem } from '@comity/core/problems'
import type { SubjectKey } from '../../vault/vault.ts'
import { createChainVerifier, type VerifyChain } from './check-chain.ts'
import {
  checkDelegations,
  judgeKnown,
  linkName,
  noteDelegations,
  type CheckedDelegations,
} from './check-delegations.ts'
import { limitsOf } from './check-limits.ts'
import type { ConsentCheckParts } from './check-ports.ts'
import {
  consentRequired,
  decideStanding,
  inactive,
  isAboutSubject,
  isBearer,
  loadFacts,
  type Caller,
  type CallFacts,
} from './check-standing.ts'
import type { ConsentQuestion, ConsentRefused, ConsentVerdict } from '../consent-service.ts'
import { UseCounters, type UseHold } from './uses-counters.ts'

export interface ConsentCheck {
  /** The first bearer of a chain that verifies and ends at this caller: for whom a delegate calls. Throws
   *  `consent-required`, `consent-token-invalid`, `consent-token-expired`. */
  clientOf(authorization: string, caller: Caller, nowMs: number): Promise<string>
  /** Throws `status-unavailable`, and `storage-failed`. */
  decide(question: ConsentQuestion): Promise<ConsentVerdict>
}

interface Checking {
  readonly parts: ConsentCheckParts
  readonly counters: UseCounters
}

/** The check, with what it remembers of chains and counters. */
export function createConsentCheck(parts: ConsentCheckParts): ConsentCheck {
  const verifyChain = createChainVerifier(parts)
  const checking = { parts, counters: new UseCounters(parts.uses, parts.maxCounters) }
  return {
    async clientOf(authorization, caller, nowMs) {
      const chain = await verifyChain(authorization, nowMs)
      if (chain !== undefined && isBearer(chain, caller)) return chain.root.client_id
      throw new Problem(consentRequired.code, consentRequired.detail)
    },
    async decide(question) {
      const chain = await verified(verifyChain, question)
      return 'allowed' in chain ? chain : decide(chain.chain, question, checking)
    },
  }
}

async function verified(
  verifyChain: VerifyChain,
  { authorization, nowMs }: ConsentQuestion,
): Promise<{ readonly chain: VerifiedChain | undefined } | ConsentRefused> {
  try {
    return { chain: await verifyChain(authorization, nowMs) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const { code, message: detail } = error
    if (code === 'consent-token-invalid' || code === 'consent-token-expired') return { allowed: false, code, detail }
    throw error
  }
}

async function decide(
  chain: VerifiedChain | undefined,
  question: ConsentQuestion,
  checking: Checking,
): Promise<ConsentVerdict> {
  const { parts } = checking
  const facts = await loadFacts(chain, question, parts)
  const { row } = facts
  if (chain === undefined || row === undefined || !isBearer(chain, question.caller)) return consentRequired
  if (row.recipient !== chain.root.client_id) return consentRequired
  const standing = decideStanding(row, chain, question.nowMs)
  if (standing !== undefined) return standing
  const delegations = await checkDelegations(chain, parts)
  if (delegations.refusal !== undefined) return delegations.refusal
  if (!isAboutSubject(facts, question)) return consentRequired
  const scope = scopeQuestion(question)
  const verdict = decideConsent(chain.leaf.authorization_details, scope)
  if (!verdict.allowed) return refusalOf(verdict)
  const subject = await openSubject(row.subject, await referenceOf(facts, question, parts), parts)
  if (subject === undefined) return inactive('the consent is ended', 'expired')
  const { release } = verdict
  return take({ chain, question, scope, delegations, subject, release }, checking)
}

function scopeQuestion(question: ConsentQuestion): ScopeQuestion {
  const { purpose, action, product, labels, requested, change, caller, nowMs } = question
  return { purpose, action, product, labels, requested, change, country: caller.country, nowMs }
}

/** What is told of a refused change is what the call itself says that it changes. */
function refusalOf({ code, detail, fields }: ScopeVerdict & { readonly allowed: false }): ConsentRefused {
  return { allowed: false, code, detail, ...(fields && { members: { fields } }) }
}

/** The holder's reference of the subject; undefined when erased. */
async function referenceOf(
  { row, namesReference }: CallFacts,
  { subject }: ConsentQuestion,
  parts: ConsentCheckParts,
): Promise<string | undefined> {
  return namesReference ? subject : parts.referenceOf(row?.id ?? '')
}

interface OpenSubject {
  readonly key: SubjectKey
  readonly reference: string
}

/** Undefined when the subject was erased. */
async function openSubject(
  handle: string,
  reference: string | undefined,
  { vault }: Pick<ConsentCheckParts, 'vault'>,
): Promise<OpenSubject | undefined> {
  if (reference === undefined) return undefined
  try {
    return { key: vault.peek(handle) ?? (await vault.open(handle)), reference }
  } catch (error) {
    if (error instanceof Problem && error.code === 'subject-erased') return undefined
    throw error
  }
}

/** A call that is allowed but for the counters. */
interface Allowed {
  readonly chain: VerifiedChain
  readonly question: ConsentQuestion
  readonly scope: ScopeQuestion
  readonly delegations: CheckedDelegations
  readonly subject: OpenSubject
  readonly release: Release
}

async function take(allowed: Allowed, { parts, counters }: Checking): Promise<ConsentVerdict> {
  const { chain, question, scope, delegations, release } = allowed
  const grants = release.parts.map(({ grant }) => grant)
  const limits = limitsOf(chain, grants, { links: delegations.links, question: scope })
  if (limits.length === 0) return given(allowed, undefined, parts)
  const verdict = await counters.hold(limits, question.nowMs)
  if (verdict.allowed) return given(allowed, verdict.hold, parts)
  const { retryAfterMs } = verdict
  return {
    allowed: false,
    code: 'consent-quota',
    detail: retryAfterMs === undefined ? 'all uses of the consent are spent' : 'the consent allows no more calls now',
    members: retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) },
  }
}

function given(allowed: Allowed, hold: UseHold | undefined, parts: ConsentCheckParts): ConsentVerdict {
  const { chain, question, delegations, subject, release } = allowed
  const { root, children } = chain
  const { id, rev, hash } = root.consent
  const via = children.length === 0 ? [] : [root, ...children].map(({ client_id: did }) => did)
  const grants = release.parts.map(({ grant }) => grant)
  const links = delegations.links.map(linkName)
  let usedMs = question.nowMs
  return {
    allowed: true,
    consent: { id, rev, hash },
    via,
    ...subject,
    pairwise: root.sub,
    release,
    keyedHash: (text) => parts.vault.keyedHash(text, root.client_id),
    async confirm(nowMs) {
      const row = await parts.standing(id)
      if (row === undefined) return consentRequired
      return decideStanding(row, chain, nowMs) ?? (await judgeKnown(chain, parts.delegations)).refusal
    },
    use(exchange, nowMs, { mustStand = false } = {}) {
      usedMs = nowMs
      const use = { exchange, consent: id, grants, links, atMs: nowMs, caller: question.caller.did, via }
      const guard = mustStand ? [parts.mustStand({ id, hash })] : []
      return [...guard, ...parts.uses.insert(use), ...noteDelegations(delegations.unknown, parts, nowMs)]
    },
    settle: (released) => hold?.end(released ? usedMs : undefined),
  }
}
