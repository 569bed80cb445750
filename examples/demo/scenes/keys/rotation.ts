/** An application's key changes while it calls: its SDK fetches the next one by itself. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createComityClient } from '@comity/client'
import type { BegunRotationView, IssuedKeyView, KeyRotationView } from '@comity/node/admin/client-api'
import { call, expectRefusal } from '../../stage/calls.ts'
import { comityOf } from '../../stage/participant.ts'
import { until } from '../../stage/until.ts'
import { atLab, purpose, type Cast, type Scene } from '../cast.ts'

/** Calls at the same time, from before the rotation until the old key has ended, and how long each then rests. */
const workers = 4
const restMs = 100
const path = 'electricity/generation?year=2017&source=Renewables'

export const rotation: Scene = async (cast, report) => {
  const { key: first, id } = await report.step("a key for lab's application", () => issue(cast))
  await report.attempt('rotated under load', () => rotate(cast, { id, key: first }))
  await report.attempt('the old key', async () =>
    expectRefusal(await call(atLab(cast, path), { headers: { 'x-api-key': first } }), {
      status: 401,
      code: 'key-expired',
    }),
  )
}

async function issue({ lab }: Cast) {
  await comityOf(lab, 'clients', 'add', 'reports', '--name', 'Monthly reports', '--rotate-every', '30')
  const issued = await comityOf<IssuedKeyView>(lab, 'api-keys', 'issue', 'reports', '--product', 'electricity')
  return { detail: `${issued.id}; changed every 30 days from now on`, value: issued }
}

async function rotate({ lab }: Cast, { id, key }: Pick<IssuedKeyView, 'id' | 'key'>) {
  // A program keeps this in a file or a vault: the key in use comes first.
  let kept = key
  const store = { load: () => kept, save: (text: string): void => void (kept = text) }
  const inUse = (): string => kept.split(' ', 1)[0] ?? ''
  // Many applications spread their renewals by chance; this one is alone and renews at once.
  const random = (length: number): Uint8Array => new Uint8Array(length)
  const client = createComityClient({ node: lab.localUrl, purpose, random, apiKey: store })
  const electricity = client.product('federation', 'electricity')
  const load = { calls: 0, failed: 0, isOver: false }
  const work = async (): Promise<void> => {
    while (!load.isOver) {
      const answer = electricity.get('/generation', { query: { year: 2017, source: 'Renewables' } })
      await answer.catch(() => (load.failed += 1))
      load.calls += 1
      await sleep(restMs)
    }
  }
  const working = Array.from({ length: workers }, work)
  try {
    const begun = await comityOf<BegunRotationView>(lab, 'api-keys', 'rotate', id, '--claim')
    await until('the SDK has its next key', async () => inUse() !== key)
    const before = load.calls
    await until('calls go on with it', async () => load.calls > before + 2 * workers)
    await comityOf<KeyRotationView>(lab, 'api-keys', 'complete', begun.rotation.id, '--yes')
    const ended = load.calls
    await until('calls go on after it', async () => load.calls > ended + 2 * workers)
  } finally {
    load.isOver = true
    await Promise.all(working)
  }
  if (load.failed > 0) throw new Error(`${load.failed} of ${load.calls} calls failed`)
  return {
    detail: `${load.calls} calls by ${workers} at once meanwhile, 0 failed`,
    note: `the SDK fetched ${inUse().slice(0, 18)}… by itself, then the old key was retired`,
    value: undefined,
  }
}
