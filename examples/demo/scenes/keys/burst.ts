/** A caller without a name is slowed, and told exactly how. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseRateLimit } from '@comity/core/limits/rate-limit-fields'
import { call, expectRefusal, type Answer } from '../../stage/calls.ts'
import { atFederation, type Cast, type Scene } from '../cast.ts'

/** What the federation allows callers without a key, in `comity.yaml`. */
export const anonymousLimit = {
  name: 'anonymous',
  by: ['address'],
  for: { products: ['electricity'], credential: ['none'] },
  units: 20,
  perSeconds: 5,
}

const asked = 30

export const burst: Scene = async (cast, report) => {
  let refused: Answer | undefined
  await report.attempt('a burst', async () => {
    const answers = await Promise.all(Array.from({ length: asked }, () => ask(cast)))
    const admitted = answers.filter(({ status }) => status === 200)
    refused = answers.find(({ status }) => status === 429)
    // While the last ones came in, the first units were restored.
    const most = anonymousLimit.units + 5
    if (admitted.length < anonymousLimit.units || admitted.length > most) throw new Error(`${admitted.length} passed`)
    return {
      detail: `of ${asked} calls at once ${admitted.length} pass, ${asked - admitted.length} are slowed`,
      value: 0,
    }
  })
  await report.attempt('what they are told', async () => tellOf(refused))
  await report.attempt('after the wait', async () => {
    const seconds = Number(refused?.headers.get('retry-after'))
    await sleep(seconds * 1_000)
    const { status } = await ask(cast)
    if (status !== 200) throw new Error(`${status} after ${seconds} s`)
    return { detail: `200, ${seconds} s later, as it was told`, value: undefined }
  })
}

function ask(cast: Cast): Promise<Answer> {
  const url = atFederation(cast, 'electricity/generation?year=2017&source=Renewables')
  return call(url, { fingerprint: cast.federation.fingerprint })
}

function tellOf(refused: Answer | undefined) {
  if (refused === undefined) throw new Error('no call was refused')
  const { headers } = refused
  const left = parseRateLimit(headers.get('ratelimit')).find(({ name }) => name === anonymousLimit.name)
  const seconds = Number(headers.get('retry-after'))
  if (left?.remaining !== 0 || !(seconds >= 1)) throw new Error('the fields do not say when to come back')
  const { note } = expectRefusal(refused, { status: 429, code: 'rate-limited' })
  return {
    detail: `429 rate-limited, Retry-After: ${seconds}, RateLimit: ${headers.get('ratelimit') ?? ''}`,
    note,
    value: 0,
  }
}
