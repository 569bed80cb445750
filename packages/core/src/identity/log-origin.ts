/** The name of a participant's audit log: its origin line (c2sp.org/tlog-checkpoint), `<domain>/log`. */
import { parseDid } from './did.ts'
import { didWebLocation } from './did-web.ts'

/** `did:web:node.example%3A8443` → `node.example:8443/log`; a DID without a domain → `<did>/log`.
 *  Throws `did-invalid`. */
export function logOriginOf(did: string): string {
  if (parseDid(did).method !== 'web') return `${did}/log`
  const { origin, path } = didWebLocation(did)
  return `${origin.slice('https://'.length)}${path.replace(/(?:\/\.well-known)?\/did\.json$/, '')}/log`
}
