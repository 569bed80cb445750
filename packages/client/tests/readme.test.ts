import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import ts from 'typescript'
import { answerJson, answerProblem, claims, exchangeId, startLoopbackNode } from './loopback-node.ts'

const root = join(import.meta.dirname, '../../..')
const readme = readFileSync(join(root, 'packages/client/README.md'), 'utf8')
const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []

/** What the README's reader gets from openapi-typescript. */
const athletes = `export interface paths { '/athletes/{id}': { get: { parameters: { path: { id: number } }
  responses: { 200: { content: { 'application/json': { id: number; name: string } } } } } } }`

/** The README's code with console and address of this test. */
async function runExample(node: string, log: (...values: unknown[]) => void): Promise<void> {
  const client = import.meta.resolve('@comity/client')
  const body = stripTypeScriptTypes(code)
    .replace(/import \{(.*?)\} from '@comity\/client'/, `const {$1} = await import('${client}')`)
    .replace('http://127.0.0.1:8081', node)
  const source = `export const run = async (console) => {${body}}`
  const { run } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
    run(console: { log: typeof log; error: typeof log }): Promise<void>
  }
  await run({ log, error: log })
}

test('the code of the README compiles', () => {
  const files = new Map([
    [join(root, 'packages/client/tests/readme-example.ts'), code],
    [join(root, 'packages/client/tests/athletes.ts'), athletes],
  ])
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists } = host
  host.readFile = (path) => files.get(path) ?? readFile(path)
  host.fileExists = (path) => files.has(path) || fileExists(path)
  const getSourceFile = host.getSourceFile.bind(host)
  host.getSourceFile = (path, target) => {
    const text = files.get(path)
    return text === undefined ? getSourceFile(path, target) : ts.createSourceFile(path, text, target)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  const faults = [...files.keys()].flatMap((path) => ts.getPreEmitDiagnostics(program, program.getSourceFile(path)))
  assert.deepEqual(
    faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    [],
  )
})

test('the code of the README runs: it shows the answer, or why there is none', async () => {
  await using node = await startLoopbackNode((_, reply, count) => {
    if (count === 0) answerJson(reply, { id: 7, name: 'A. N. Athlete' })
    else answerProblem(reply, new Problem('agreement-required', 'no agreement'))
  })
  const lines: unknown[][] = []
  const log = (...values: unknown[]) => lines.push(values)
  await runExample(node.url, log)
  await runExample(`${node.url}/`, log)
  assert.equal(node.seen[0]?.url, '/federation/athletes/athletes/7')
  assert.deepEqual(lines[0], ['A. N. Athlete', exchangeId, claims.iss])
  assert.deepEqual(lines[1]?.slice(0, 2), ['agreement-required', 'no agreement'])
})
