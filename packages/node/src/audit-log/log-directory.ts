/** A log's directory as a source for `@comity/core/audit-log/log-reader`: what auditors read, without a database. */
import { utf8Text } from '@comity/core/bytes/utf8'
import type { LogSource } from '@comity/core/audit-log/log-reader'
import { ed25519NoteVerifier, type NoteVerifier } from '@comity/core/audit-log/note'
import { parseVerifierKey } from '@comity/core/audit-log/verifier-key'
import { Problem } from '@comity/core/problems'
import { openLogFiles } from './log-files.ts'

/** Reads the files of a log's directory. */
export function openLogDirectory(directory: string): LogSource {
  const files = openLogFiles(directory)
  return { read: (path) => files.read(path) }
}

/** The key in the directory's `log.vkey`. It proves only that the files belong together: who must know that the log
 *  is a participant's takes the key from its DID document. Throws `proof-invalid`, `malformed-key`. */
export async function readDirectoryVerifier(directory: string): Promise<NoteVerifier> {
  const bytes = await openLogFiles(directory).read('log.vkey')
  if (bytes === undefined) throw new Problem('proof-invalid', `\`${directory}\` has no \`log.vkey\``)
  return ed25519NoteVerifier(parseVerifierKey(utf8Text(bytes).trimEnd()))
}
