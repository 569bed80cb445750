/** Who makes a call, by whatever credential. */
import type { InboundCall } from './inbound-call.ts'

type Party = Pick<InboundCall, 'caller' | 'client'>

/** DID of the participant that calls: by its own signature, or by a key that it was given; undefined for nobody. */
export function participantOf({ caller, client }: Party): string | undefined {
  return caller?.did ?? client?.participant
}

/** True for who proved something, a signature or a key: answers to it are signed. */
export function isIdentified({ caller, client }: Party): boolean {
  return caller !== undefined || client !== undefined
}

const clientPrefix = 'client:'

/** Whose idempotency keys and references these are: a DID, or the client of a key; undefined for nobody. */
export function accountOf({ caller, client }: Party): string | undefined {
  return caller?.did ?? (client && clientPrefix + client.client)
}

/** True for the account of a client, which has no node that could be told anything. */
export function isClientAccount(account: string): boolean {
  return account.startsWith(clientPrefix)
}
