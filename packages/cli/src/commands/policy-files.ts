/** `comity policy schema`, `check` and `test`: policies as files, without a running node. */
import { readdir } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { Problem } from '@comity/core/problems'
import { cedarEngine } from '@comity/node/policy/engine/cedar-engine'
import { compiledEngine } from '@comity/node/policy/engine/compiled-engine'
import type { PreparedSet } from '@comity/node/policy/engine/policy-engine'
import { withoutAlike } from '@comity/node/policy/sets/like-faults'
import { readPolicyFiles } from '@comity/node/policy/sets/policy-files'
import { invalidPolicies } from '@comity/node/policy/sets/policy-sets'
import { policySchemaText } from '@comity/node/policy/sets/policy-schema'
import { parsePolicyTests } from '@comity/node/policy/testing/policy-test-file'
import { runPolicyTests, type PolicyTestResult } from '@comity/node/policy/testing/policy-tests'
import { prepareSet, type PolicyText } from '@comity/node/policy/sets/prepare-set'
import { colors } from '../colors.ts'
import { show, type CommandContext } from '../command-context.ts'
import { readYamlFile } from '../read-yaml.ts'
import { faultLine, readTexts } from './policy-texts.ts'

export function printSchema(context: CommandContext): void {
  const schema = policySchemaText()
  show(context, { schema }, () => [schema.trimEnd()])
}

/** Lists every fault and warning; fails when there is a fault. */
export async function checkPolicies(context: CommandContext, place: string): Promise<void> {
  const texts = await readTexts(place)
  const answer = await prepareSet(texts)
  const faults = answer.ok ? [] : answer.faults
  const warnings = answer.ok ? answer.set.warnings : []
  const policies = answer.ok ? answer.set.policies.length : undefined
  show(context, { valid: answer.ok, policies, faults, warnings }, () => [
    ...faults.map((fault) => faultLine(fault, colors.red('fault'))),
    ...withoutAlike(warnings).map((warning) => faultLine(warning, colors.yellow('warning'))),
    answer.ok
      ? `${counted(answer.set.policies.length, 'policy', 'policies')} in ${counted(texts.length, 'file', 'files')}: all good`
      : counted(faults.length, 'fault', 'faults'),
  ])
  if (!answer.ok) context.fail()
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}

/** How the cases of one file went. */
interface FileResult {
  readonly file: string
  readonly results: readonly PolicyTestResult[]
}

/** Runs every case, and names the policies that decide none; fails when a case differs from what it says. */
export async function testPolicies(
  context: CommandContext,
  directory: string,
  { engine }: { readonly engine: 'compiled' | 'cedar' },
): Promise<void> {
  const files = await testFiles(directory)
  if (files.length === 0) throw new Problem('malformed-request', `there is no *.test.yaml file below \`${directory}\``)
  const sets = new PolicySetsOfTests(directory)
  const tested: FileResult[] = []
  const untested = new Set<string>()
  for (const file of files) {
    const tests = parsePolicyTests(await readYamlFile(join(directory, file), 'policy tests'), file)
    const set = await sets.of(tests.policies, file)
    const decides = engine === 'cedar' ? cedarEngine(set) : compiledEngine(set)
    for (const { id } of set.policies) untested.add(id)
    tested.push({ file, results: runPolicyTests(tests, set, decides) })
  }
  for (const { results } of tested)
    for (const { verdict } of results) for (const id of verdict.policies) untested.delete(id)
  const failed = tested.flatMap(({ results }) => results).filter(({ differences }) => differences.length > 0).length
  show(context, { failed, untested: [...untested], files: tested }, () => [
    ...tested.flatMap(fileLines),
    ...(untested.size === 0 ? [] : [colors.yellow(`no case is decided by ${[...untested].join(', ')}`)]),
    summary(tested, failed),
  ])
  if (failed > 0) context.fail()
}

function fileLines({ file, results }: FileResult): string[] {
  return [
    file,
    ...results.flatMap(({ name, differences, verdict, errors }) => [
      `  ${differences.length === 0 ? colors.green('✔') : colors.red('✖')} ${name}`,
      ...differences.flatMap(({ what, expected, actual }) => [
        `      ${what}`,
        `        expected  ${colors.green(expected)}`,
        `        was       ${colors.red(actual)}`,
      ]),
      ...(differences.length === 0 || verdict.allowed ? [] : [`      because ${verdict.detail}`]),
      ...errors.map(({ policy, message }) => `      ${policy} failed: ${message}`),
    ]),
  ]
}

function summary(tested: readonly FileResult[], failed: number): string {
  const count = tested.reduce((sum, { results }) => sum + results.length, 0)
  return failed === 0 ? `${count} passed` : `${count - failed} passed, ${failed} failed`
}

/** The sets that test files ask for, each prepared once. */
class PolicySetsOfTests {
  readonly #directory: string
  readonly #sets = new Map<string, Promise<PreparedSet>>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Of the files that a test file names, relative to itself, or of all below the directory. */
  of(names: readonly string[] | undefined, testFile: string): Promise<PreparedSet> {
    const wanted = names?.map((name) => slashed(join(dirname(testFile), name)))
    const key = JSON.stringify(wanted ?? 'all')
    const known = this.#sets.get(key) ?? this.#prepare(wanted, testFile)
    this.#sets.set(key, known)
    return known
  }

  async #prepare(wanted: readonly string[] | undefined, testFile: string): Promise<PreparedSet> {
    const all = await readPolicyFiles(this.#directory)
    const missing = wanted?.find((name) => !all.some(({ source }) => source === name))
    if (missing !== undefined) {
      throw new Problem(
        'malformed-request',
        `\`${testFile}\` names the policies \`${missing}\`, which are not below it`,
      )
    }
    const texts: readonly PolicyText[] =
      wanted === undefined ? all : all.filter(({ source }) => wanted.includes(source))
    const answer = await prepareSet(texts)
    if (answer.ok) return answer.set
    throw invalidPolicies(answer.faults)
  }
}

async function testFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new Problem('malformed-request', `the directory \`${directory}\` cannot be read`, { cause })
  })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.yaml'))
    .map((entry) => slashed(relative(directory, join(entry.parentPath, entry.name))))
    .toSorted()
}

function slashed(path: string): string {
  return path.split(sep).join('/')
}
