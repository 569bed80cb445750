/** Calls that are made once, however often they arrive (draft-ietf-httpapi-idempotency-key-header): the answer of the
 *  first is kept for a day and given to those that follow with the same key, also when the admin token is another by then.
 *  What is kept is sealed under a key that follows from the node's secret and the caller's own key: the database alone
 *  tells neither answers nor what they hold, be it about a person or a secret that is shown once. */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import type { Clock, RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { Reply } from '../http/problem-response.ts'

/** How long an answer is kept. */
export const keptMs = 86_400_000
/** Most answers that are kept at once. Of older ones it is known still that they were given. */
export const maxKept = 10_000
/** Most calls with a new key that begin within a minute, which bounds how many are known of a day. */
export const maxPerMinute = 1_000

/** A call that was begun; `answer` is there once it has succeeded. */
export interface KeptRepeat {
  readonly fingerprint: string
  /** Sealed; empty when it is kept no longer. */
  readonly answer: Uint8Array | undefined
}

export interface RepeatsStore {
  /** Keeps a new one, unless there is one of the name: then gives that. What began before `keepFromMs` is removed first.
   *  Throws `rate-limited` when `maxPerMinute` began within the last minute. */
  begin(repeat: {
    readonly name: string
    readonly fingerprint: string
    readonly nowMs: number
    readonly keepFromMs: number
  }): Promise<KeptRepeat | undefined>
  finish(name: string, answer: Uint8Array): Promise<void>
  /** Of a call that did not succeed. */
  remove(name: string): Promise<void>
}

/** A call and its key, as the header field has it. */
export interface KeyedCall {
  readonly key: string
  readonly method: string
  readonly target: string
  readonly body: unknown
}

export interface Repeats {
  /** Does `work`, or gives what it gave when it was done before. A call that fails is forgotten: nothing was done, and the
   *  key may be used for the corrected one. Throws `idempotency-key-invalid`, `idempotency-key-reused`,
   *  `idempotency-in-progress`, and `outcome-unknown` when the node stopped before the first was answered. */
  once(call: KeyedCall, work: () => Promise<Reply>): Promise<Reply>
}

interface RepeatsParts {
  readonly store: RepeatsStore
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  /** Of the node; another one finds nothing of what was kept. */
  readonly secret: Uint8Array
}

/** `store` may be shared by nobody else. */
export function createRepeats({ store, clock, randomBytes, secret }: RepeatsParts): Repeats {
  const running = new Set<string>()
  const derive = (use: string, text: string) => createHmac('sha256', secret).update(`${use} ${text}`).digest()
  return {
    async once({ key: field, ...call }, work) {
      const key = readKey(field)
      const name = derive('name', key).toString('base64url')
      const fingerprint = derive('call', canonicalJson([call.method, call.target, call.body ?? null])).toString(
        'base64url',
      )
      if (running.has(name)) throw inProgress()
      running.add(name)
      try {
        const nowMs = clock.now()
        const kept = await store.begin({ name, fingerprint, nowMs, keepFromMs: nowMs - keptMs })
        const seal = sealing(derive('answer', key), name)
        if (kept !== undefined) return keptReply(kept, fingerprint, seal.open)
        const reply = await work().catch(async (error: unknown) => {
          await store.remove(name)
          throw error
        })
        await store.finish(name, seal.close(serialised(reply), randomBytes(12)))
        return reply
      } finally {
        running.delete(name)
      }
    },
  }
}

function keptReply(kept: KeptRepeat, fingerprint: string, open: (box: Uint8Array) => string): Reply {
  if (kept.fingerprint !== fingerprint) {
    throw new Problem('idempotency-key-reused', 'the key came with another call')
  }
  if (kept.answer === undefined) {
    throw new Problem(
      'outcome-unknown',
      'the node stopped before the first call was answered: look at what it was about',
    )
  }
  if (kept.answer.length === 0) {
    throw new Problem('outcome-unknown', 'the call was carried out, but its answer is kept no longer')
  }
  const { status, headers, body } = JSON.parse(open(kept.answer)) as { status: number; headers: string[]; body: string }
  return { status, headers, body: new TextEncoder().encode(body) }
}

function serialised({ status, headers, body }: Reply): string {
  return JSON.stringify({ status, headers, body: new TextDecoder().decode(body) })
}

function inProgress(): Problem {
  return new Problem('idempotency-in-progress', 'the first call with this key is still running', {
    members: { retryAfterSeconds: 1 },
  })
}

/** An sf-string (RFC 9651 §3.3.3) without escapes. */
function readKey(field: string): string {
  const [, key] = /^"([\x20\x21\x23-\x5b\x5d-\x7e]{1,128})"$/.exec(field.trim()) ?? []
  if (key === undefined)
    throw new Problem('idempotency-key-invalid', 'the field `idempotency-key` is not a quoted string')
  return key
}

/** AES-256-GCM: nonce, tag, ciphertext; bound to the name. */
function sealing(key: Uint8Array, name: string) {
  return {
    close(text: string, nonce: Uint8Array): Uint8Array {
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
      const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext])
    },
    open(box: Uint8Array): string {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, 12), { authTagLength: 16 })
        decipher.setAAD(Buffer.from(name)).setAuthTag(box.subarray(12, 28))
        return Buffer.concat([decipher.update(box.subarray(28)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new Problem('outcome-unknown', 'the kept answer cannot be opened: look at what the call was about', {
          cause,
        })
      }
    },
  }
}
