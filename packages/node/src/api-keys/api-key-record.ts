/** An API key as this node keeps it: everything but the secret. */
import { environments, keyUses, type Environment, type KeyUse } from '@comity/core/api-keys/api-key'
import { keyScopeSchema, type KeyScope } from '@comity/core/api-keys/key-scope'
import { z } from 'zod'
import { timeSchema } from '../http/input-words.ts'
import { labelsSchema, ownerSchema } from './client.ts'
import { isNetwork } from './key-networks.ts'

/** Revoked and retired keys have ended for good. */
export const keyStates = ['active', 'disabled', 'revoked', 'retired'] as const
export type KeyState = (typeof keyStates)[number]

/** Who made a change. */
export type ChangedBy = 'operator' | 'client' | 'policy'

/** Times are milliseconds since the epoch. */
export interface ApiKeyRecord {
  /** 8 characters, public. */
  readonly id: string
  readonly client: string
  readonly environment: Environment
  readonly use: KeyUse
  /** 32 bytes: of a plain key the keyed hash of its secret, of an hmac key the salt from which that is derived. */
  readonly verifier: Uint8Array
  readonly scope: KeyScope
  /** CIDR, canonical; everywhere when empty. */
  readonly networks: readonly string[]
  /** Those of the client where absent. */
  readonly owner: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** Of an hmac key: every call must carry a rising number. */
  readonly sequence: boolean
  readonly notBeforeMs: number | undefined
  /** When this key ends: with its line, or with its lifetime. */
  readonly expiresMs: number | undefined
  /** The end that the operator set: of the key, and of whatever succeeds it. */
  readonly lineEndsMs: number | undefined
  /** Of the key, and anew of each that succeeds it. */
  readonly lifetimeDays: number | undefined
  /** Id of the key that it is the successor of; with `issuedBy` `client`, of the key with which it was claimed. */
  readonly succeeds: string | undefined
  readonly state: KeyState
  /** Why it is in this state: a word of the node's own, or the operator's. */
  readonly reason: string | undefined
  readonly issuedBy: ChangedBy
  readonly createdMs: number
  /** When it was enabled last, or took the place of another without having been used. */
  readonly enabledMs: number | undefined
  /** When it was revoked or retired. */
  readonly endedMs: number | undefined
  /** When its expiry was announced. */
  readonly warnedMs: number | undefined
}

const moment = timeSchema.transform((text) => Date.parse(text))
const network = z.string().max(64).refine(isNetwork, 'must be a network in CIDR notation, e.g. `192.0.2.0/24`')
const lifetime = z.int().min(1).max(3_650)
const networks = z.array(network).max(200)

/** A key as an operator asks for it. */
export const keyRequestSchema = z
  .strictObject({
    environment: z.enum(environments).optional(),
    use: z.enum(keyUses).default('plain'),
    scope: keyScopeSchema.prefault({}),
    networks: networks.default([]),
    owner: ownerSchema.optional(),
    labels: labelsSchema.default({}),
    sequence: z.boolean().default(false),
    notBefore: moment.optional(),
    /** Also of all that succeed it. */
    expires: moment.optional(),
    /** Of each that succeeds it anew. */
    lifetimeDays: lifetime.optional(),
  })
  .refine(({ use, sequence }) => use === 'hmac' || !sequence, {
    path: ['sequence'],
    error: 'is for keys of the use `hmac`',
  })
export type KeyRequest = z.infer<typeof keyRequestSchema>

/** What of a key can be changed; null takes an entry away, what is left out stays. */
export const keyChangeSchema = z.strictObject({
  scope: keyScopeSchema.optional(),
  networks: networks.optional(),
  owner: ownerSchema.nullable().optional(),
  labels: labelsSchema.optional(),
  expires: moment.nullable().optional(),
  lifetimeDays: lifetime.nullable().optional(),
})
export type KeyChangeRequest = z.infer<typeof keyChangeSchema>

/** True for a key that may work again. */
export function isLive({ state }: Pick<ApiKeyRecord, 'state'>): boolean {
  return state === 'active' || state === 'disabled'
}

/** The key without what its secret follows from. */
export function publicFacts(key: ApiKeyRecord): Omit<ApiKeyRecord, 'verifier'> {
  const { verifier: _verifier, ...facts } = key
  return facts
}
