/** Holders that keep one, a thousand and a hundred thousand active consents, under the same calls. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startNode } from '../cold-start.ts'
import { residentMebibytes } from '../proc.ts'
import { temporaryFolder } from '../processes.ts'
import { agree, prepareComityHolder, type PreparedHolder } from '../systems/comity.ts'
import { keepToken } from '../systems/consented-calls.ts'
import { consentsAt } from '../systems/partner.ts'
import { personalCall, personalPlan } from '../systems/signed-load.ts'
import type { SystemUnderTest } from '../systems/system.ts'

export const sizeUnit = 'consents-1'
/** So many people are called about in turn, where there are so many. */
const people = 1_000

export interface FilledHolder {
  readonly kept: number
  readonly systems: readonly SystemUnderTest[]
  /** Before the first call. */
  readonly idleMebibytes: number
  residentNow(): number
}

/** Fills a node and starts it; it ends with the stack. */
export async function startFilledHolder(
  kept: number,
  upstreamPort: number,
  stack: AsyncDisposableStack,
): Promise<FilledHolder> {
  const folder = stack.use(temporaryFolder()).path
  const prepared = await prepareComityHolder(folder, upstreamPort)
  const consents = await fill(prepared, kept)
  const { pid } = stack.use(await startNode(prepared))
  const { publicPort, partner } = prepared
  const agreement = await agree(folder, partner)
  const holder = stack.use(consentsAt(publicPort, partner))
  const by = { pid, publicPort, agreement, partner }
  const tokens = consents.map((consent) => keepToken(holder, consent))
  const plan = async (count: number) => {
    const current = await inTurn(tokens.slice(0, count))
    return personalPlan(
      by,
      current.map((token, index) => personalCall(index + 1, token)),
    )
  }
  const common = { pid, [Symbol.asyncDispose]: async () => undefined }
  const one = { ...common, name: `consents-${kept}`, plan: () => plan(1) }
  const many = { ...common, name: `consents-${kept}-in-turn`, plan: () => plan(people) }
  const idleMebibytes = residentMebibytes(pid)
  return {
    kept,
    systems: kept < people ? [one] : [one, many],
    idleMebibytes,
    residentNow: () => residentMebibytes(pid),
  }
}

/** Not all at once: the holder would queue them. */
async function inTurn<T>(works: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = []
  for (let start = 0; start < works.length; start += 32) {
    results.push(...(await Promise.all(works.slice(start, start + 32).map((work) => work()))))
  }
  return results
}

/** Gives the ids of the consents that calls can be made under. */
async function fill({ cwd, environment, partner }: PreparedHolder, kept: number): Promise<string[]> {
  const script = fileURLToPath(new URL('fill.ts', import.meta.url))
  const args = [script, join(cwd, 'comity.yaml'), partner.did, String(Math.min(kept, people)), String(kept)]
  const options = { env: { ...process.env, ...environment }, maxBuffer: 16 * 1024 * 1024 }
  const { stdout } = await promisify(execFile)(process.execPath, args, options)
  return (JSON.parse(stdout) as { consents: string[] }).consents
}
