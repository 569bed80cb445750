/** The subjects' keys in the database. A subject has one key; who was erased and is admitted again gets another, of the
 *  next generation. What was erased stays named, by its handle alone, so that no key is made for it unasked. */
import type { Database, Row, Statement } from '../storage/database.ts'
import type { Erasure } from './erasure-journal.ts'
import { wrappedBytes } from './sealed-text.ts'

/** A subject's newest key. */
export interface StoredKey {
  readonly generation: number
  readonly wrapped: Uint8Array
  readonly isErased: boolean
}

interface KeyRow extends Row {
  readonly generation: number
  readonly wrapped: Uint8Array
  readonly erased_ms: number | null
}

interface ErasureRow extends Row {
  readonly handle: string
  readonly generation: number
  readonly erased_ms: number
}

/** More admissions after an erasure than anybody has; a generation is one byte of a sealed text. */
const maxGeneration = 255

const selectNewest = `SELECT k.generation, k.wrapped, e.erased_ms FROM subject_keys k
  LEFT JOIN subject_erasures e ON e.handle = k.handle AND e.generation = k.generation
  WHERE k.handle = ? ORDER BY k.generation DESC LIMIT 1`
const insertFirst = `INSERT INTO subject_keys (handle, generation, wrapped, created_ms) VALUES (?, 1, ?, ?)
  ON CONFLICT DO NOTHING`
const insertErasure = `INSERT INTO subject_erasures (handle, generation, erased_ms)
  SELECT handle, generation, ? FROM subject_keys WHERE handle = ? ON CONFLICT DO NOTHING`
const insertTombstone = `INSERT INTO subject_keys (handle, generation, wrapped, created_ms) VALUES (?, ?, ?, ?)
  ON CONFLICT DO NOTHING`
const insertNext = `INSERT INTO subject_keys (handle, generation, wrapped, created_ms)
  SELECT handle, MAX(generation) + 1, ?, ? FROM subject_erasures WHERE handle = ? GROUP BY handle
  HAVING MAX(generation) < ${maxGeneration}
    AND MAX(generation) = (SELECT MAX(k.generation) FROM subject_keys k WHERE k.handle = subject_erasures.handle)`

/** What stands in the place of a destroyed key: as many bytes, so that they are written over the key's. */
const nothing = new Uint8Array(wrappedBytes)

/** The newest key of a subject. */
export async function loadKey(database: Database, handle: string): Promise<StoredKey | undefined> {
  const row = await database.get<KeyRow>(selectNewest, [handle])
  return row && { generation: row.generation, wrapped: row.wrapped, isErased: row.erased_ms !== null }
}

/** Keeps a first key, unless the subject has one or had one. */
export function insertKey(handle: string, wrapped: Uint8Array, nowMs: number): Statement {
  return { sql: insertFirst, params: [handle, wrapped, nowMs] }
}

/** Destroys all keys of a subject. One that has none yet gets none later, up to this generation. */
export function destroyKeys(handle: string, nowMs: number, generation = 1): Statement[] {
  return [
    { sql: insertTombstone, params: [handle, generation, nothing, nowMs] },
    { sql: 'UPDATE subject_keys SET wrapped = ? WHERE handle = ?', params: [nothing, handle] },
    { sql: insertErasure, params: [nowMs, handle] },
  ]
}

/** Gives an erased subject a new key; nothing for any other. */
export function insertNextKey(handle: string, wrapped: Uint8Array, nowMs: number): Statement {
  return { sql: insertNext, params: [wrapped, nowMs, handle] }
}

/** What was erased: of these subjects, or of all. */
export async function loadErasures(database: Database, handles?: readonly string[]): Promise<Erasure[]> {
  const select = 'SELECT handle, generation, erased_ms FROM subject_erasures'
  const rows =
    handles === undefined
      ? await database.all<ErasureRow>(select)
      : await Promise.all(handles.map((handle) => database.all<ErasureRow>(`${select} WHERE handle = ?`, [handle])))
  return rows.flat().map(({ handle, generation, erased_ms: erasedMs }) => ({ handle, generation, erasedMs }))
}

/** Keeps by what the node's secret is known, the first time; gives what was kept then. */
export async function keepFingerprint(database: Database, fingerprint: string): Promise<string> {
  const insert = 'INSERT INTO vault_secret (id, fingerprint) VALUES (1, ?) ON CONFLICT DO NOTHING'
  await database.execute([{ sql: insert, params: [fingerprint] }])
  const row = await database.get<{ fingerprint: string }>('SELECT fingerprint FROM vault_secret WHERE id = 1')
  return row?.fingerprint ?? fingerprint
}
