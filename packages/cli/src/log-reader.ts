/** Opens a published log by its verifier key and reads its entries. */
import { utf8Text } from '@comity/core/bytes/utf8'
import type { Checkpoint } from '@comity/core/audit-log/checkpoint'
import { readCheckpoint, readEntries, type LogSource } from '@comity/core/audit-log/log-reader'
import { ed25519NoteVerifier, type NoteVerifier } from '@comity/core/audit-log/note'
import { parseVerifierKey } from '@comity/core/audit-log/verifier-key'
import { Problem } from '@comity/core/problems'
import { logSourceOf, readPlace } from './read-place.ts'

export interface OpenedLog {
  readonly source: LogSource
  readonly verifier: NoteVerifier
  readonly verifierKey: string
  /** True when the key came from beside the log, and therefore proves only that the log agrees with itself. */
  readonly keyFromLog: boolean
  readonly checkpoint: Checkpoint
}

const looksLikeKey = /^\S+\+[0-9a-f]{8}\+\S+$/

/** A verifier key that is given as such, or as a file or address that holds it. */
export async function readVerifierKey(given: string): Promise<string> {
  if (looksLikeKey.test(given)) return given
  return utf8Text(await readPlace(given, { allowUntrustedTls: false })).trim()
}

async function readKey(source: LogSource, given: string | undefined): Promise<string> {
  if (given !== undefined) return readVerifierKey(given)
  const bytes = await source.read('log.vkey')
  if (bytes === undefined) throw new Problem('proof-invalid', 'the log has no `log.vkey`; give its key with `--vkey`')
  return utf8Text(bytes).trim()
}

/** Opens a log at a directory or URL. Throws `note-unverified` when the key did not sign its checkpoint. */
export async function openLog(place: string, vkey?: string): Promise<OpenedLog> {
  const source = logSourceOf(place)
  const verifierKey = await readKey(source, vkey)
  const verifier = ed25519NoteVerifier(parseVerifierKey(verifierKey))
  const { checkpoint } = await readCheckpoint(source, verifier)
  return { source, verifier, verifierKey, keyFromLog: vkey === undefined, checkpoint }
}

/** The entries of a log on disk as text. */
export async function readLogDirectory(place: string, range: { readonly from: number; readonly limit: number }) {
  const { source, checkpoint } = await openLog(place)
  const entries: { position: number; entry: string }[] = []
  for await (const { position, entry } of readEntries(source, checkpoint.size, range)) {
    entries.push({ position, entry: utf8Text(entry) })
  }
  return { checkpoint, entries }
}
