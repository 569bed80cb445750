/** What the athlete sees in the end: every use, with a proof of each. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expectJson, type Answer } from '../../stage/calls.ts'
import { comity } from '../../stage/participant.ts'
import { until } from '../../stage/until.ts'
import { participantsOf, withDocuments, type Cast } from '../cast.ts'
import { given, type Chapter, type ConsentThread } from './thread.ts'

interface Use {
  readonly exchange: string
  readonly at: string
  readonly caller: string
  readonly purpose: string
  readonly released: readonly string[]
  readonly withheld: readonly string[]
  /** Path of the proof. */
  readonly proof: string
}

export const knowing: Chapter = async ({ cast, report, thread }) => {
  report.chapter('What the athlete knows', 'Who read what, when and why, with a proof of each.')
  await report.attempt('every use', () => listUses(cast, thread))
  await report.attempt('a proof of each', () => verifyProofs(cast, thread))
}

async function usesOf(thread: ConsentThread): Promise<readonly Use[]> {
  return expectJson<{ uses: Use[] }>(await given(thread, 'person').read('/v1/me/access-log')).uses
}

/** As complete as the receipts of those who read. */
async function listUses(cast: Cast, thread: ConsentThread) {
  const uses = await usesOf(thread)
  const [told, read] = [uses.map(({ exchange }) => exchange), thread.released].map((ids) => ids.toSorted().join())
  if (told !== read || uses.length === 0) throw new Error('the list is not what was read')
  const names = new Map(participantsOf(cast).map(({ did, name }) => [did, name]))
  const lines = uses.map(({ at, caller, released, withheld }) => {
    const kept = withheld.length === 0 ? '' : `, withheld ${withheld.join(', ')}`
    return `${at.slice(11, 19)} ${names.get(caller) ?? caller} read ${released.join(', ')}${kept}`
  })
  return { detail: `${uses.length}, as many as there are receipts`, note: lines.join('; '), value: undefined }
}

/** The proofs as the page hands them out, verified from files alone. */
async function verifyProofs(cast: Cast, thread: ConsentThread) {
  const folder = join(cast.root, 'person')
  await mkdir(folder, { recursive: true })
  const person = given(thread, 'person')
  const files: string[] = []
  for (const { exchange, proof } of await usesOf(thread)) {
    const file = join(folder, `${exchange}.json`)
    await writeFile(file, (await untilMade(() => person.read(proof))).body)
    files.push(file)
  }
  if (files.length === 0) throw new Error('there is nothing to prove')
  const documents = withDocuments(participantsOf(cast))
  const reports = files.map((file) =>
    comity<{ ok: boolean; checks: unknown[] }>('verify', 'exchange', file, ...documents),
  )
  const counts = (await Promise.all(reports)).map(({ checks }) => checks.length)
  return { detail: `verified offline: ${counts.join(' and ')} checks`, value: undefined }
}

/** A proof is there once the log has published a checkpoint over it. */
function untilMade(read: () => Promise<Answer>): Promise<Answer> {
  return until('the proof is made', async () => {
    const answer = await read()
    return answer.status === 200 && answer
  })
}
