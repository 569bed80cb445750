import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Command } from 'commander'
import { buildProgram, duration, wholeNumber } from './run-command.ts'
import { runQuietly } from './test-terminal.ts'

let home: string
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'comity-cli-'))
  process.chdir(home)
})
after(async () => {
  process.chdir(tmpdir())
  await rm(home, { recursive: true, force: true })
})

/** Every command with the way to it. */
function commandsOf(command: Command, way: readonly string[] = []): { way: string[]; command: Command }[] {
  return command.commands.flatMap((each) => {
    const here = [...way, each.name()]
    return [{ way: here, command: each }, ...commandsOf(each, here)]
  })
}

test('every command has a description and its own help', async () => {
  const commands = commandsOf(buildProgram())
  assert.ok(commands.length > 30)
  for (const { way, command } of commands) {
    assert.notEqual(command.description(), '', way.join(' '))
    const { code, out } = await runQuietly(...way, '--help')
    assert.equal(code, 0, way.join(' '))
    assert.match(out, new RegExp(`^Usage: comity ${way.join(' ')}`))
  }
})

const wrongArguments: Record<string, string[]> = {
  'no command': [],
  'an unknown command': ['statsu'],
  'an unknown subcommand': ['partners', 'ad'],
  'a group alone': ['agreements'],
  'an unknown option': ['status', '--verbose'],
  'a missing argument': ['partners', 'add', 'lab'],
  'an argument too many': ['status', 'now'],
  'a missing option': ['init'],
  'an option without its value': ['init', '--url'],
  'a port that is none': ['init', '--url', 'https://a.example', '--local-port', '65536'],
  'a span without a unit': ['keys', 'rotate', '--overlap', '90'],
  'a purpose that is none': ['keys', 'rotate', '--purpose', 'log'],
  'a role that is none': ['agreements', 'draft', '--partner', 'a', '--product', 'b', '--as', 'owner'],
  'a limit that is too high': ['receipts', 'list', '--limit', '1001'],
  'a negative position': ['log', 'show', '--from', '-1'],
}

for (const [name, args] of Object.entries(wrongArguments)) {
  test(`${name} is exit code 2 and a hint`, async () => {
    const { code, error } = await runQuietly(...args)
    assert.equal(code, 2)
    assert.notEqual(error, '')
    assert.ok(!/^ {4}at /m.test(error), error)
  })
}

test('a command that is nearly right is suggested', async () => {
  assert.match((await runQuietly('statsu')).error, /Did you mean status\?/)
})

test('what needs a configuration says that there is none, as text or as JSON', async () => {
  const text = await runQuietly('status')
  assert.equal(text.code, 1)
  assert.match(text.error, /comity\.yaml` cannot be read; `comity init` writes one[\s\S]*\(config-invalid\)$/)
  const json = await runQuietly('--json', 'status')
  assert.equal(json.code, 1)
  assert.equal((JSON.parse(json.error) as { code: string }).code, 'config-invalid')
})

test('every command that talks to the node says when none runs', async () => {
  const init = ['init', '--dir', 'idle', '--url', 'https://node.example.org:8443', '--admin-port', '9']
  assert.equal((await runQuietly(...init)).code, 0)
  await writeFile('any.json', '{}')
  await writeFile('product.yaml', 'id: a\nopenapi: any.json\n')
  const commands = [
    ['status'],
    ['partners', 'list'],
    ['partners', 'add', 'a', 'did:web:a.example'],
    ['partners', 'remove', 'a'],
    ['products', 'list'],
    ['products', 'add', 'product.yaml'],
    ['agreements', 'list'],
    ['agreements', 'draft', '--partner', 'a', '--product', 'b'],
    ['agreements', 'sign', 'any.json'],
    ['agreements', 'import', 'any.json'],
    ['agreements', 'terminate', 'x', '--reason', 'y'],
    ['keys', 'list'],
    ['keys', 'rotate'],
    ['log', 'show'],
    ['receipts', 'list'],
    ['receipts', 'export'],
  ]
  for (const command of commands) {
    const { code, error } = await runQuietly('-c', 'idle/comity.yaml', ...command)
    assert.equal(code, 1, command.join(' '))
    assert.match(error, /nothing answers on 127\.0\.0\.1:9/, command.join(' '))
  }
})

test('init writes what config check accepts, once', async () => {
  const init = ['init', '--dir', 'fresh', '--url', 'https://node.example.org']
  const made = await runQuietly('--json', ...init)
  assert.equal(made.code, 0)
  assert.equal((JSON.parse(made.out) as { did: string }).did, 'did:web:node.example.org')
  assert.deepEqual((await runQuietly('-c', 'fresh/comity.yaml', 'config', 'check')).code, 0)
  const again = await runQuietly(...init)
  assert.equal(again.code, 1)
  assert.match(again.error, /already-exists/)
})

test('config check reads the policies too: every fault with its file and line, else what they warn of', async () => {
  await runQuietly('init', '--dir', 'ruled', '--url', 'https://node.example.org')
  const file = 'ruled/comity.yaml'
  await writeFile(file, `${await readFile(file, 'utf8')}\npolicy:\n  directory: rules\n`)
  await mkdir('ruled/rules')
  await writeFile(
    'ruled/rules/a.cedar',
    '@id("a")\npermit (principal, action, resource)\nwhen { context.weekdy == 1 };\n',
  )
  await writeFile('ruled/rules/b.cedar', 'permit (principal, action, resource);\n')
  const faulty = await runQuietly('-c', file, 'config', 'check')
  assert.equal(faulty.code, 1)
  assert.match(faulty.error, /the policies have 2 mistakes\n {2}ruled\/rules\/a\.cedar:3 \[a\] fault: .*`weekdy`/)
  assert.match(faulty.error, /\n {2}ruled\/rules\/b\.cedar:1 fault: the policy has no @id/)
  await writeFile('ruled/rules/a.cedar', '')
  const product = 'resource in Comity::Product::"athletes"'
  await writeFile('ruled/rules/b.cedar', `// all\n@id("b") permit (principal, action, ${product});\n`)
  const { code, out } = await runQuietly('-c', file, 'config', 'check')
  assert.equal(code, 0)
  assert.match(
    out,
    /^ruled\/rules\/b\.cedar:2 \[b\] warning: there is no product `athletes` \(the node does not run: products that were added to it are not known here\)\n.* is valid$/,
  )
})

test('config check warns of names in the rules of limits that nobody has', async () => {
  await runQuietly('init', '--dir', 'limited', '--url', 'https://node.example.org')
  const file = 'limited/comity.yaml'
  const rules = '[{ name: small, by: [client], for: { products: [athletes], clients: [x] }, units: 1, perSeconds: 1 }]'
  await writeFile(file, `${await readFile(file, 'utf8')}\nlimits:\n  rules: ${rules}\n`)
  const { code, out, error } = await runQuietly('-c', file, 'config', 'check')
  assert.equal(code, 0, error)
  assert.match(
    out,
    /^limits\.rules\[0\]\.for\.products \[small\] warning: there is no product `athletes` \(the node does not run: .*\n.* is valid$/,
  )
})

test('config check reads the OpenAPI documents too', async () => {
  await runQuietly('init', '--dir', 'offering', '--url', 'https://node.example.org')
  const file = 'offering/comity.yaml'
  const product = '{ id: a, title: A, version: "1", upstream: "http://127.0.0.1:1", openapi: a.yaml }'
  await writeFile(file, (await readFile(file, 'utf8')).replace('products: []', `products: [${product}]`))
  await writeFile('offering/a.yaml', 'openapi: 3.0.3\ninfo: { title: A, version: "1" }\npaths: {}\n')
  const { code, error } = await runQuietly('-c', file, 'config', 'check')
  assert.equal(code, 1)
  assert.match(error, /the products have one mistake\n {2}products\[0\]\.openapi: .*only OpenAPI 3\.1 is taken/)
})

test('init refuses what cannot become a node, and says why', async () => {
  await writeFile('file', '')
  await writeFile('short', 'abc')
  const refused: [string[], RegExp][] = [
    [['--url', 'http://a.example'], /is not an address like/],
    [['--url', 'https://a.example/path'], /is not an address like/],
    [['--url', 'https://192.0.2.1'], /did-invalid/],
    [['--url', 'https://a.example', '--dir', 'file/below'], /ENOTDIR/],
    [['--url', 'https://a.example', '--dir', 'r1', '--passphrase-env', 'COMITY_UNSET_VARIABLE'], /keys-locked/],
    [['--url', 'https://a.example', '--dir', 'r2', '--passphrase-file', 'short'], /fewer than 8/],
    [['--url', 'https://a.example', '--dir', 'r3', '--key-file', 'short'], /not 32 bytes/],
    [['--url', 'https://a.example', '--key-file', 'a', '--passphrase-file', 'b'], /one place for the secret/],
  ]
  for (const [args, reason] of refused) {
    const { code, error } = await runQuietly('init', ...args)
    assert.equal(code, 1, args.join(' '))
    assert.match(error, reason, args.join(' '))
    assert.ok(!/^ {4}at /m.test(error), error)
  }
})

test('the doctor tells a node that does not run, and fails on what is broken', async () => {
  assert.equal((await runQuietly('init', '--dir', 'sick', '--url', 'https://node.invalid:8443')).code, 0)
  await rm('sick/keys/keys.json')
  const { code, out } = await runQuietly('-c', 'sick/comity.yaml', 'doctor')
  assert.equal(code, 1)
  assert.match(out, /^! node +does not run/m)
  assert.match(out, /^✗ keys +the key file .* cannot be read/m)
  assert.match(out, /^ +→ /m)
  const json = await runQuietly('--json', '-c', 'sick/comity.yaml', 'doctor')
  assert.equal((JSON.parse(json.out) as { ok: boolean }).ok, false)
})

test('spans and numbers mean what they say', () => {
  assert.deepEqual(['90s', '15m', '6h', '30d'].map(duration), [90_000, 900_000, 21_600_000, 2_592_000_000])
  for (const text of ['', 's', '1', '1w', '-1s', '1.5h', '1 s', '1234567s']) assert.throws(() => duration(text), text)
  assert.equal(wholeNumber(1, 10)('10'), 10)
  for (const text of ['0', '11', '1e0', '0x1', ' 1', '', '1.0', 'Infinity']) {
    assert.throws(() => wholeNumber(1, 10)(text), text)
  }
})

test('tells its version', async () => {
  const { code, out } = await runQuietly('--version')
  assert.equal(code, 0)
  assert.match(out, /^\d+\.\d+\.\d+/)
})
