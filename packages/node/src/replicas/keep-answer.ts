/** After the partner's answer: what of it is kept, and for how long. */
import { parseReceipt, type ReceiptClaims } from '@comity/core/exchange/receipt'
import type { Reply } from '../http/problem-response.ts'
import { keyUnlessErased } from './kept-content.ts'
import { decideStore } from './replica-rules.ts'
import type { HeldForReplica, ReplicasParts } from './replica-ports.ts'
import type { Replica, ReplicaContent, ReplicaReason } from './replica.ts'

/** What was asked, and by which id its answer is kept. */
export interface Asked {
  readonly id: string
  /** DID. */
  readonly holder: string
  readonly product: string
  readonly operations: readonly string[] | undefined
  /** As the call names one. */
  readonly consent: string | undefined
  readonly request: ReplicaContent['request']
}

export type Kept =
  { readonly kept: true; readonly replica: Replica } | { readonly kept: false; readonly reason: ReplicaReason }

const no = (reason: ReplicaReason) => ({ kept: false, reason }) as const

/** Value of a field of a reply. */
export function fieldOf({ headers }: Pick<Reply, 'headers'>, name: string): string | undefined {
  const at = headers.findIndex((text, index) => index % 2 === 0 && text === name)
  return at < 0 ? undefined : headers[at + 1]
}

/** The claims of the answer's receipt, which was verified before it came here. */
export function claimsOfReply(reply: Reply): ReceiptClaims | undefined {
  const receipt = fieldOf(reply, 'comity-receipt')
  return receipt === undefined ? undefined : parseReceipt(receipt).claims
}

/** What a local application gets again of the answer's fields. */
const keptFields = [
  'content-type',
  'content-language',
  'cache-control',
  'vary',
  'etag',
  'last-modified',
  'link',
  'deprecation',
  'sunset',
  'comity-fields-withheld',
]

function contentOf(reply: Reply, asked: Asked, claims: ReceiptClaims): ReplicaContent {
  return {
    request: asked.request,
    headers: keptFields.flatMap((name) => {
      const value = fieldOf(reply, name)
      return value === undefined ? [] : [name, value]
    }),
    etag: fieldOf(reply, 'etag'),
    receipt: fieldOf(reply, 'comity-receipt') ?? '',
    released: claims.rel,
    body: Buffer.from(reply.body).toString('base64'),
  }
}

/** The one consent, as it stands here, that the holder says it answered under. */
async function heldOf(
  { held }: Pick<ReplicasParts, 'held'>,
  asked: Asked,
  { con, via = [] }: ReceiptClaims,
): Promise<HeldForReplica | undefined> {
  if (con === undefined) return undefined
  const rows = (await held.findByConsent(con.id)).filter(
    ({ holder, rev, hash, delegation }) =>
      holder === asked.holder &&
      rev === con.rev &&
      hash === con.hash &&
      (delegation === undefined) === (via.length === 0),
  )
  const named = rows.filter(({ id }) => id === asked.consent)
  const [only, ...others] = named.length > 0 ? named : rows
  return others.length > 0 ? undefined : only
}

async function judge(parts: ReplicasParts, asked: Asked, reply: Reply) {
  // Its receipt comes at its end, when the application has it.
  if (reply.stream !== undefined) return no('streamed')
  const claims = claimsOfReply(reply)
  if (claims === undefined) return no('no-receipt')
  if (asked.operations?.includes(claims.op ?? '') === false) return no('not-configured')
  const held = await heldOf(parts, asked, claims)
  if (claims.con !== undefined && held?.subject === undefined) return no('consent-unclear')
  const nowMs = parts.clock.now()
  const verdict = decideStore({
    status: reply.status,
    bytes: reply.body.byteLength,
    cacheControl: fieldOf(reply, 'cache-control'),
    product: asked.product,
    purpose: claims.pur,
    consent: held && { ...held, scopes: await parts.held.scopesOf(held.id) },
    nowMs,
  })
  return verdict.allowed ? { kept: true as const, claims, held, nowMs, untilMs: verdict.untilMs } : no(verdict.reason)
}

/** Who acts for another is covered by that one's agreement, of which this node knows nothing. */
function agreementOf({ agr }: ReceiptClaims, held: HeldForReplica | undefined): string | undefined {
  return held?.delegation === undefined ? agr : undefined
}

const always = { sql: '1 = 1' }

/** Keeps a whole answer, if it may be: durable when it resolves. The consent is looked at once more by the write itself,
 *  so that what ended meanwhile leaves nothing behind. */
export async function keepAnswer(parts: ReplicasParts, asked: Asked, reply: Reply): Promise<Kept> {
  const verdict = await judge(parts, asked, reply)
  if (!verdict.kept) return verdict
  const { claims, held, nowMs, untilMs } = verdict
  const key = await keyUnlessErased(parts.vault, held?.subject)
  if (key === undefined) return no('consent-inactive')
  const replica: Replica = {
    id: asked.id,
    holder: asked.holder,
    product: asked.product,
    version: claims.ver,
    operation: claims.op,
    agreement: agreementOf(claims, held),
    purpose: claims.pur,
    held: held?.id,
    consent: held?.consent,
    consentHash: held?.hash,
    subject: held?.subject,
    exchange: claims.jti,
    fetchedMs: nowMs,
    validatedMs: nowMs,
    confirmedMs: nowMs,
    untilMs,
    sealed: key.seal(JSON.stringify(contentOf(reply, asked, claims))),
    own: undefined,
  }
  const condition = held === undefined ? always : parts.held.stands(held)
  const [changed = 0] = await parts.execute([parts.store.put(replica, condition)])
  return changed > 0 ? { kept: true, replica } : no('consent-inactive')
}

/** After the holder said that what is kept is what it would answer. What may not be kept any longer is taken away. */
export async function keepOn(
  parts: ReplicasParts,
  { asked, replica, reply }: { readonly asked: Asked; readonly replica: Replica; readonly reply: Reply },
): Promise<Kept> {
  const verdict = await judge(parts, asked, reply)
  const nowMs = parts.clock.now()
  if (!verdict.kept) {
    await parts.execute(parts.store.emptyOne(replica.id, nowMs))
    return verdict
  }
  const { claims, held, untilMs } = verdict
  const known = { consentHash: held?.hash, agreement: agreementOf(claims, held), untilMs, nowMs }
  const [changed = 0] = await parts.execute([parts.store.revalidate(replica, known)])
  return changed > 0 ? { kept: true, replica: { ...replica, ...known, validatedMs: nowMs } } : no('emptied')
}
