/** What the world gives to the code: time, randomness, network. Always an argument, never a global, so that
 *  every rule can be tested with a made-up world. `packages/node/src/main.ts` is where the real ones enter. */

/** Wall-clock time in milliseconds since the Unix epoch (UTC). */
export interface Clock {
  now(): number
}

/** Cryptographically secure random bytes. */
export type RandomBytes = (length: number) => Uint8Array

/** The part of the Fetch standard that Comity needs. In the node it is guarded against SSRF. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>
