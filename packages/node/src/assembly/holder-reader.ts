/** Asks a holder's node for what proves an exchange with it. What comes back is data to be verified, nothing more. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { parseJson } from '@comity/core/bytes/json'
import { utf8Text } from '@comity/core/bytes/utf8'
import { signRequest } from '@comity/core/http-signatures/profile-request'
import { problemKinds, Problem, type ProblemCode } from '@comity/core/problems'
import { z } from 'zod'
import type { EvidenceSources } from '../admin/evidence-export.ts'
import type { PartnerLink } from '../gateway/outbound/send-request.ts'
import type { PartnerAnswer } from '../http/partner-client.ts'
import { linkOf, type Counterparts } from './counterparts.ts'
import type { Foundation } from './foundation.ts'

const proof = z.string().max(65_536)
const proofSchema = z.union([
  z.object({ proof, body: z.string().max(65_536), salt: z.string().max(1_024) }),
  z.object({ proof, erased: z.literal(true) }),
])

const lifetimeSeconds = 30

interface ReaderParts {
  readonly foundation: Foundation
  readonly counterparts: Counterparts
}

/** Both throw `partner-unknown`, `partner-unreachable`, `partner-timeout`, `tls-untrusted`, `answer-unusable`, and the
 *  holder's own refusal under its code. */
export function createHolderReader(parts: ReaderParts): Pick<EvidenceSources, 'fetchProof' | 'fetchVerifierKey'> {
  return {
    async fetchProof(holder, exchangeId) {
      const link = linkTo(parts, holder)
      const target = `/receipts/${encodeURIComponent(exchangeId)}/proof`
      const answer = await get(parts, link, { target, headers: signedHeaders(parts, link, target) })
      const parsed = proofSchema.safeParse(parseAnswer(answer))
      if (parsed.success) return parsed.data
      throw new Problem('answer-unusable', 'the answer is no proof', { cause: parsed.error })
    },
    async fetchVerifierKey(holder) {
      const link = linkTo(parts, holder)
      const answer = await get(parts, link, { target: '/log/log.vkey', headers: [] })
      return utf8Text(answer.body).trim()
    },
  }
}

function linkTo({ counterparts: { partners } }: ReaderParts, did: string): PartnerLink {
  const partner = partners.findByDid(did)
  if (partner === undefined) throw new Problem('partner-unknown', `\`${did}\` is no partner`)
  return linkOf(partner)
}

function signedHeaders({ foundation }: ReaderParts, { authority }: PartnerLink, path: string): string[] {
  const { identity, world } = foundation
  const createdAt = Math.floor(world.clock.now() / 1_000)
  const made = signRequest(
    { method: 'GET', authority, path, query: '?', header: () => undefined },
    {
      ...identity.authenticationKey(),
      createdAt,
      expiresAt: createdAt + lifetimeSeconds,
      nonce: encodeBase64url(world.randomBytes(16)),
    },
  )
  return ['signature-input', made.signatureInput, 'signature', made.signature]
}

interface Question {
  readonly target: string
  readonly headers: readonly string[]
}

async function get(parts: ReaderParts, link: PartnerLink, { target, headers }: Question): Promise<PartnerAnswer> {
  const { timeoutMs } = parts.foundation.config.network
  const body = new Uint8Array(0)
  const answer = await parts.counterparts.client.send(link, { method: 'GET', target, headers, body, timeoutMs })
  if (answer.status === 200) return answer
  const { code, detail } = (parseAnswer(answer) ?? {}) as { code?: unknown; detail?: unknown }
  if (typeof code !== 'string' || !(code in problemKinds)) {
    throw new Problem('answer-unusable', `the partner answered with status ${answer.status}`)
  }
  throw new Problem(code as ProblemCode, `the partner said: ${String(detail).slice(0, 300)}`)
}

/** Throws `answer-unusable`. */
function parseAnswer({ body }: PartnerAnswer): unknown {
  try {
    return parseJson(utf8Text(body))
  } catch (cause) {
    throw new Problem('answer-unusable', 'the answer is not JSON', { cause })
  }
}
