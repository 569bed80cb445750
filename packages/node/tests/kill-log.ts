/** What the tests that kill nodes look at, past the node: its database and its log's files. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCheckpoint, type Checkpoint } from '@comity/core/audit-log/checkpoint'
import { eventEntry } from '@comity/core/audit-log/event-commitment'
import { readCheckpoint, verifyLogContent, verifyLogGrowth, type LogSource } from '@comity/core/audit-log/log-reader'
import { leafHash, verifyInclusion } from '@comity/core/audit-log/merkle'
import { inclusionProofFromTiles } from '@comity/core/audit-log/tiles'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { equalBytes } from '@comity/core/bytes/bytes'
import { readDirectoryVerifier } from '../src/audit-log/log-directory.ts'
import { openLogFiles } from '../src/audit-log/log-files.ts'
import { readPublishedTile } from '../src/audit-log/published-tile.ts'

export interface LogRow {
  readonly position: number
  readonly id: string
  readonly type: string
  readonly body: string
  readonly leaf: Uint8Array
}

/** Reads a node's database beside it, or after it; it is opened for each question, as its owner may be killed. */
export class NodeRecords {
  readonly #path: string

  constructor(directory: string) {
    this.#path = join(directory, 'data', 'comity.db')
  }

  /** The log's event of that id. */
  event(id: string): LogRow | undefined {
    return this.events('id = ?', id)[0]
  }

  events(where: string, ...params: string[]): LogRow[] {
    const sql = `SELECT position, id, type, body, commitment FROM log_entries WHERE ${where} ORDER BY position`
    return this.#all(sql, params).map((row) => ({
      position: Number(row['position']),
      id: String(row['id']),
      type: String(row['type']),
      body: String(row['body']),
      leaf: leafHash(eventEntry(row['commitment'] as Uint8Array)),
    }))
  }

  intents(state: 'running' | 'unknown' | 'done'): { readonly id: string; readonly key: string }[] {
    const rows = this.#all('SELECT id, idempotency_key FROM intents WHERE state = ? ORDER BY id', [state])
    return rows.map((row) => ({ id: String(row['id']), key: String(row['idempotency_key']) }))
  }

  #all(sql: string, params: string[]) {
    const database = new DatabaseSync(this.#path, { readOnly: true, timeout: 5_000 })
    try {
      return database.prepare(sql).all(...params)
    } finally {
      database.close()
    }
  }
}

/** Holds a log to its own past: remembers checkpoints and proves each of them a beginning of the newest. */
export class WatchedLog {
  readonly #directory: string
  readonly #remembered = new Map<string, Checkpoint>()
  #last: Checkpoint | undefined

  constructor(directory: string) {
    this.#directory = join(directory, 'log')
  }

  /** Takes a signed note as somebody outside got it. Fails when it is smaller than, or contradicts, an earlier one. */
  async remember(note: string): Promise<Checkpoint> {
    const { checkpoint } = openCheckpoint(note, await readDirectoryVerifier(this.#directory))
    const last = this.#last
    if (last !== undefined) {
      assert.ok(checkpoint.size >= last.size, `a checkpoint of ${checkpoint.size} entries came after ${last.size}`)
      if (checkpoint.size === last.size) assert.ok(equalBytes(checkpoint.rootHash, last.rootHash), 'two roots')
    }
    this.#last = checkpoint
    this.#remembered.set(note.split('\n').slice(0, 3).join('\n'), checkpoint)
    return checkpoint
  }

  /** The checkpoint on disk, which every remembered one must lead to. Forgets those but the newest. */
  async assertGrown(): Promise<Checkpoint> {
    const files = openLogFiles(this.#directory)
    const { checkpoint } = await readCheckpoint(files, await readDirectoryVerifier(this.#directory))
    const source = this.#source(checkpoint)
    for (const older of this.#remembered.values()) await verifyLogGrowth(source, older, checkpoint)
    this.#remembered.clear()
    this.#last = checkpoint
    this.#remembered.set(String(checkpoint.size), checkpoint)
    return checkpoint
  }

  /** Waits until the checkpoint on disk covers the position. */
  async waitFor(position: number): Promise<Checkpoint> {
    const untilMs = performance.now() + 60_000
    let checkpoint = await this.assertGrown()
    while (checkpoint.size <= position) {
      assert.ok(performance.now() < untilMs, `position ${position} is not provable after a minute`)
      await sleep(50)
      checkpoint = await this.assertGrown()
    }
    return checkpoint
  }

  /** Proves from the files alone that the leaf (base64url) stands at the position. */
  async assertProvable(position: number, leaf: string, { size, rootHash }: Checkpoint): Promise<void> {
    const proof = await inclusionProofFromTiles(position, size, this.#source({ size }).read)
    verifyInclusion({ index: position, size, leafHash: Buffer.from(leaf, 'base64url'), root: rootHash, proof })
  }

  /** Checks every file of the log against its checkpoint. Gives the number of entries. */
  async assertWhole(): Promise<number> {
    const checkpoint = await this.assertGrown()
    await verifyLogContent(openLogFiles(this.#directory), checkpoint)
    return checkpoint.size
  }

  /** The files as readers of that checkpoint see them, while the node goes on to write. */
  #source({ size }: { readonly size: number }): LogSource {
    const files = openLogFiles(this.#directory)
    return { read: (path) => readPublishedTile(files, path, size) }
  }
}

/** The leaf as receipts write it. */
export const leafText = (leaf: Uint8Array): string => encodeBase64url(leaf)
