/** The demo from the first to the last step. */
import { rmSync } from 'node:fs'
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { DemoOptions } from './options.ts'
import { tellAddresses } from './scenes/addresses.ts'
import { consent } from './scenes/consent/consent.ts'
import { exchanges } from './scenes/exchanges.ts'
import { keys } from './scenes/keys/keys.ts'
import { policy } from './scenes/policy/policy.ts'
import { proof } from './scenes/proof.ts'
import { refusals } from './scenes/refusals.ts'
import { sealed } from './scenes/sealed.ts'
import { setUp } from './scenes/setup.ts'
import { termination } from './scenes/termination.ts'
import type { Report } from './stage/report.ts'

const marker = '.comity-demo'
const folders = [
  'federation',
  'lab',
  'statistics',
  'person',
  'dashboard',
  'agreement.json',
  'agreement-2.json',
  'agreement-statistics.json',
  'consent.json',
]

/** Plays every scene. What it starts is on `stack`, which ends it. Throws when it cannot go on; the report has why. */
export async function play(options: DemoOptions, report: Report, stack: AsyncDisposableStack): Promise<void> {
  const { directory, once } = options
  const root = directory === undefined ? await temporaryFolder() : await keptFolder(resolve(directory))
  const cast = await setUp(root, report, stack)
  for (const scene of [exchanges, refusals, consent, policy, sealed, keys, termination, proof])
    await scene(cast, report)
  if (!once) await tellAddresses(cast, report)
  else if (directory !== undefined) report.say('', `Keys, logs and receipts are kept in ${root}`)
}

async function temporaryFolder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'comity-demo-'))
  // However the demo ends: after its processes, which end first.
  process.on('exit', () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }))
  return root
}

/** Only what an earlier demo made is replaced. */
async function keptFolder(root: string): Promise<string> {
  await mkdir(root, { recursive: true })
  const isOurs = await exists(join(root, marker))
  for (const name of folders) {
    const path = join(root, name)
    if (isOurs) await rm(path, { recursive: true, force: true })
    else if (await exists(path)) throw new Error(`${path} is there already, and no demo made it`)
  }
  await writeFile(join(root, marker), 'Made by `npm run demo`, which may replace what lies beside this file.\n')
  return root
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
