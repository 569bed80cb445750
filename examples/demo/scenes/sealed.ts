/** Sixth scene: what passes once only, and what passes unread. Files of athletes are sealed from node to node, and a list
 *  of them is a link that works once. */
import { isDeepStrictEqual } from 'node:util'
import { sealedMediaType } from '@comity/core/sealing/sealed-envelope'
import { call, expectJson, expectRefusal, type Answer } from '../stage/calls.ts'
import { unlock } from '../stage/keys.ts'
import type { WireAnswer } from '../stage/wire.ts'
import { atLab, athlete, purpose, type Cast, type Scene } from './cast.ts'

const headers = { 'comity-purpose': purpose }

export const sealed: Scene = async (cast, report) => {
  report.chapter('Once, and unread', 'A link works one time; a sealed answer passes the thief, who has the TLS key.')
  let path = ''
  await report.attempt('a link instead of data', async () => {
    const { reference, expires } = await linkOf(cast)
    path = reference.slice(reference.indexOf('files/~references/'))
    const seconds = Math.round((Date.parse(expires) - Date.now()) / 1_000)
    return { detail: `200 ${shortened(reference, 72)}, for ${seconds} seconds`, value: undefined }
  })
  await report.attempt('resolved', () => resolve(cast, path))
  await report.attempt('the same link again', async () =>
    expectRefusal(await call(atLab(cast, path), { headers }), { status: 404, code: 'reference-invalid' }),
  )
  await report.attempt('the thief reads along', () => readAlong(cast))
  await report.attempt('the thief reads nothing', () => readSealed(cast))
}

/** The end is the secret part. */
function shortened(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters)}…`
}

async function linkOf(cast: Cast): Promise<{ reference: string; expires: string }> {
  return expectJson(await call(atLab(cast, 'files/athletes?sport=fencing&nationality=ITA&_limit=3'), { headers }))
}

/** Only now is the API asked, and every check is made as for any call, the policies' too. */
async function resolve(cast: Cast, path: string) {
  const answer = await call(atLab(cast, path), { headers })
  const athletes = expectJson<{ sport: string; date_of_birth: string | number }[]>(answer)
  const isAsAsked = athletes.length === 3 && athletes.every(({ sport }) => sport === 'fencing')
  if (!isAsAsked) throw new Error('the list is not what was asked for')
  if (!athletes.every(({ date_of_birth: born }) => /^\d{4}$/.test(String(born)))) throw new Error('a day of birth left')
  return { detail: `200, ${athletes.length} fencers, of their births the year; the link is used up`, value: undefined }
}

interface Overheard {
  /** What the application got. */
  readonly answer: Answer
  /** What the thief did. */
  readonly seen: WireAnswer
}

/** A call of the lab past a thief in the federation's network, who passes everything on unchanged. */
async function overhear(cast: Cast, path: string): Promise<Overheard> {
  const tls = (await unlock(cast.federation)).tls()
  let seen: WireAnswer | undefined
  const listen = (_request: unknown, answer: WireAnswer) => (seen = answer)
  const answer = await cast.wire.withThief(tls, listen, () => call(atLab(cast, path), { headers }))
  if (seen === undefined) throw new Error('the thief saw no answer')
  return { answer, seen }
}

/** Words that stand in the athlete's file and in nothing else that travels. */
function tellTales(athleteRead: Readonly<Record<string, unknown>>): string[] {
  return ['name', 'height', 'sport'].map((field) => `${JSON.stringify(field)}:${JSON.stringify(athleteRead[field])}`)
}

async function readAlong(cast: Cast) {
  const { answer, seen } = await overhear(cast, `athletes/athletes/${athlete}`)
  const found = tellTales(expectJson(answer)).filter((text) => seen.body.includes(text))
  if (found.length !== 3) throw new Error('the thief reads less than it should')
  return { detail: `athletes in TLS alone: whoever ends it reads …${found.slice(1).join(',')}…`, value: undefined }
}

async function readSealed(cast: Cast) {
  const { answer, seen } = await overhear(cast, `files/athletes/${athlete}`)
  const received = expectJson<Record<string, unknown>>(answer)
  const open = expectJson<Record<string, unknown>>(await call(atLab(cast, `athletes/athletes/${athlete}`), { headers }))
  if (!isDeepStrictEqual(received, open)) throw new Error('the application did not get the athlete')
  const type = seen.headers['content-type'] ?? ''
  const wire = seen.body.toString('latin1')
  if (type !== sealedMediaType || !isSecret(wire, received)) throw new Error(`the thief reads ${type}`)
  return {
    detail: `files, sealed: the application has athlete ${String(received['id'])}, the thief ${seen.body.length} bytes of ${type}`,
    note: shortened(wire, 80),
    value: undefined,
  }
}

/** The values are in none of the parts of the envelope, not even decoded. */
function isSecret(wire: string, athleteRead: Readonly<Record<string, unknown>>): boolean {
  const decoded = wire.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))
  const values = [String(athleteRead['name']), String(athleteRead['sport']), ...tellTales(athleteRead)]
  return [wire, ...decoded].every((text) => values.every((value) => !text.includes(value)))
}
