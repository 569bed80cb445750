/** `npm run audit`: known faults of dependencies, leaked secrets, static analysis. What could not be asked is said plainly
 *  and counts as neither passed nor failed. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { judgeAudit } from './judge-audit.ts'

type Verdict = 'passed' | 'failed' | 'not asked'

const comity = join(import.meta.dirname, '../packages/cli/bin/comity.js')
const allow = ['--allow', '.comity-scan-allow']
/** Exit code of a scan that found nothing in what it could look into: a clone without the whole history, say. */
const incomplete = 3
const staticConfig = '.oxlintrc.security.json'

/** What each line of a program that runs static analysis would be refused for. */
const badExample = [
  "import { exec } from 'node:child_process'",
  'export const run = (command: string) => exec(command)',
  'export const made = (text: string) => eval(text)',
  'export const cookies = () => (document.cookie = "a")',
].join('\n')

function run(command: string, args: readonly string[]): { code: number; out: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  return { code: status ?? 1, out: `${stdout}${stderr}${error === undefined ? '' : error.message}`.trim() }
}

/** Runs a command that must succeed, and shows what it said when it did not. */
function mustSucceed(command: string, args: readonly string[]): Verdict {
  return shown(run(command, args))
}

function shown({ code, out }: { readonly code: number; readonly out: string }): Verdict {
  if (code !== 0) console.error(out)
  else console.log(out.split('\n').at(-1) ?? '')
  return code === 0 ? 'passed' : 'failed'
}

function knownFaults(): Verdict {
  const { stdout } = spawnSync('npm', ['audit', '--json', '--audit-level=high'], { encoding: 'utf8', timeout: 60_000 })
  const { verdict, lines } = judgeAudit(stdout ?? '')
  for (const line of lines) console.log(line)
  return verdict
}

function secretsInHistory(): Verdict {
  const git = run('git', ['rev-parse', '--git-dir'])
  if (git.code !== 0) {
    console.log(`there is no history to look through: ${git.out}`)
    return 'not asked'
  }
  const scan = run(process.execPath, [comity, 'scan', '--history', ...allow])
  if (scan.code !== incomplete) return shown(scan)
  console.log(`not all of the history could be looked through:\n${scan.out}`)
  return 'not asked'
}

/** Refuses the bad example, so that rules that stopped working are noticed, and nothing of ours. */
function staticAnalysis(): Verdict {
  const folder = mkdtempSync(join(tmpdir(), 'comity-audit-'))
  try {
    writeFileSync(join(folder, 'bad.ts'), badExample)
    const { out } = run('oxlint', ['-c', staticConfig, '--deny-warnings', folder])
    const unseen = ['detect-child-process', 'no-eval', 'no-document-cookie'].filter((rule) => !out.includes(rule))
    if (unseen.length > 0) {
      console.error(`the bad example passes ${unseen.join(', ')}:\n${out}`)
      return 'failed'
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return mustSucceed('oxlint', ['-c', staticConfig, '--deny-warnings', '.'])
}

const counts = { passed: 0, failed: 0, 'not asked': 0 }
for (const [name, look] of Object.entries({
  'known faults of dependencies': knownFaults,
  'leaked secrets': () => mustSucceed(process.execPath, [comity, 'scan', '.', ...allow]),
  'leaked secrets in the history': secretsInHistory,
  'static analysis': staticAnalysis,
})) {
  console.log(styleText('bold', `\n${name}`))
  const verdict = look()
  counts[verdict] += 1
  console.log(styleText(verdict === 'failed' ? 'red' : verdict === 'passed' ? 'green' : 'yellow', verdict))
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0
