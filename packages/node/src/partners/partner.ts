/** A partner: another participant under a local name, with the address of its node and the reason to trust its TLS
 *  key. Trust on first contact is explicit: fingerprints that were exchanged out of band, or, without any, a public
 *  authority. */
import { withoutTrailing } from '@comity/core/bytes/without-trailing'
import { isCountryCode } from '@comity/core/consent/country-codes'
import { isDid, parseDid } from '@comity/core/identity/did'
import { didWebLocation } from '@comity/core/identity/did-web'
import { Problem } from '@comity/core/problems'
import { sealingSettingsSchema, type SealingSettings } from '@comity/core/sealing/sealing-settings'
import { z } from 'zod'
import type { PeerTrust } from '../http/connector.ts'
import { inputMistakes, mistakeSentence } from '../http/input-words.ts'
import { isFingerprint } from '../http/spki-fingerprint.ts'
import type { StoredPartner } from './partner-store.ts'

/** A partner in use. */
export interface Partner extends StoredPartner {
  readonly source: 'configuration' | 'storage'
}

/** What an operator gives. */
export interface PartnerInput {
  readonly alias: string
  readonly did: string
  /** Base URL of the partner's node. For a did:web by default the DID's own host. */
  readonly url?: string | undefined
  readonly fingerprints?: readonly string[] | undefined
  readonly requireClientCertificate?: boolean | undefined
  /** Where the partner takes what it receives, by which consents that name places are kept: ISO 3166-1 alpha-2. */
  readonly country?: string | undefined
  /** As people know it; what a partner says of itself does not replace it. */
  readonly name?: string | undefined
  /** What is demanded of the contents exchanged with it. */
  readonly sealing?: Partial<SealingSettings> | undefined
}

/** What an operator gives, before what follows from it is filled in. */
export const partnerInputSchema = z.strictObject({
  alias: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'is not 1 to 63 letters, digits and hyphens'),
  did: z.string().refine(isDid, 'is not a did:web, did:key or did:jwk'),
  url: z.string().refine(isBaseUrl, 'is not an https address without query and user').optional(),
  fingerprints: z
    .array(z.string().refine(isFingerprint, 'is not `sha256:` and 43 characters of base64url'))
    .max(16)
    .default([]),
  requireClientCertificate: z.boolean().default(false),
  /** `offered`: where the partner's document announces it. */
  sealing: sealingSettingsSchema('offered').optional(),
  country: z.string().refine(isCountryCode, 'is not a country code of ISO 3166-1').optional(),
  name: z.string().trim().min(1).max(200).optional(),
})

/** Checks an operator's input and fills in what follows from it. Throws `malformed-request` with all mistakes in
 *  `errors`, `did-invalid` for a did:web without a usable host. */
export function parsePartner(input: unknown): StoredPartner {
  const parsed = partnerInputSchema.safeParse(input)
  if (!parsed.success) {
    const errors = inputMistakes(parsed.error)
    throw new Problem('malformed-request', mistakeSentence(errors, 'the partner'), { members: { errors } })
  }
  const { alias, did, url, fingerprints, requireClientCertificate, country, name, sealing } = parsed.data
  const base = url ?? defaultUrl(did)
  return {
    alias,
    did,
    url: withoutTrailing(base, '/'),
    tlsFingerprints: [...new Set(fingerprints)],
    requireClientCertificate,
    ...(country !== undefined && { country }),
    ...(name !== undefined && { name }),
    ...(sealing !== undefined && { sealing }),
  }
}

/** Why a connection to a partner's node is believed. */
export function peerTrust(fingerprints: readonly string[]): PeerTrust {
  return fingerprints.length > 0 ? { fingerprints } : { publicAuthority: true }
}

function defaultUrl(did: string): string {
  if (parseDid(did).method === 'web') return didWebLocation(did).origin
  throw new Problem('malformed-request', 'a partner whose DID names no host needs a `url`', {
    members: { errors: [{ path: 'url', message: 'is missing' }] },
  })
}

function isBaseUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'https:' && url.search + url.hash + url.username + url.password === ''
}
