/** Whatever is typed or read: exit code 0, 1 or 2, and never a stack trace for somebody else's mistake. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { exchangeEvidence } from '@comity/core/exchange/test-exchange'
import fc from 'fast-check'
import { runQuietly } from './test-terminal.ts'

let home: string
let config: string
const evidence = JSON.stringify(exchangeEvidence(), null, 2)
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'comity-cli-'))
  process.chdir(home)
  await runQuietly('init', '--dir', '.', '--url', 'https://node.example.org:8443', '--admin-port', '9')
  config = await readFile('comity.yaml', 'utf8')
  await writeFile('evidence.json', evidence)
  await writeFile('receipt.jws', exchangeEvidence().receipt)
  await writeFile('did.json', JSON.stringify(exchangeEvidence().documents[0]))
  await writeFile('product.yaml', 'id: a\ntitle: A\nopenapi: did.json\n')
})
after(async () => {
  process.chdir(tmpdir())
  await rm(home, { recursive: true, force: true })
})

async function endsWell(...args: string[]): Promise<void> {
  const { code, out, error } = await runQuietly(...args)
  assert.ok([0, 1, 2].includes(code), `${args.join(' ')}: ${code}`)
  assert.ok(!/failed unexpectedly|^ {4}at /m.test(out + error), `${JSON.stringify(args)}: ${error}`)
  if (code === 2) assert.notEqual(error, '')
}

/** None that would start a node or wait for one. */
const good: string[][] = [
  ['status'],
  ['config', 'check'],
  [
    'partners',
    'add',
    'lab',
    'did:web:lab.example',
    '--fingerprint',
    `sha256:${'A'.repeat(43)}`,
    '--url',
    'https://a.example',
  ],
  ['partners', 'remove', 'lab'],
  ['products', 'add', 'product.yaml'],
  ['keys', 'rotate', '--purpose', 'tls', 'authentication', '--publish-for', '10m', '--overlap', '1d'],
  [
    'agreements',
    'draft',
    '--partner',
    'lab',
    '--product',
    'a',
    'b',
    '--as',
    'holder',
    '--until',
    '2030-01-01',
    '-o',
    'out.json',
  ],
  ['agreements', 'sign', 'evidence.json', '-o', 'out.json'],
  ['agreements', 'terminate', 'urn:uuid:1', '--reason', 'over'],
  ['log', 'show', '--from', '0', '--limit', '10'],
  ['log', 'show', '--dir', 'log'],
  ['receipts', 'export', 'x', '--dir', 'out'],
  ['verify', 'receipt', 'receipt.jws', '--did-document', 'did.json'],
  ['verify', 'log', 'log', '--vkey', 'a.example/log+00000000+AAAA', '--old-checkpoint', 'did.json'],
  ['verify', 'exchange', 'evidence.json', '--did-document', 'did.json', '--vkey', 'did.json'],
]
// No `\0`: no system can hand it to a process.
const odd = [
  '',
  ' ',
  '-',
  '--',
  '--json',
  '-c',
  '/dev/null',
  '.',
  '/',
  '\u0001',
  '\u001b[2J',
  '__proto__',
  '../../etc/passwd',
  '𝕏'.repeat(50),
  'https://[',
  'https://',
  'a'.repeat(5_000),
  '-1',
  'NaN',
  '%00',
  '{}',
]

type Mutation = (args: readonly string[]) => string[]
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.nat(20).map(
    (at): Mutation =>
      (args) =>
        args.filter((_, index) => index !== at % args.length),
  ),
  fc.nat(20).map(
    (at): Mutation =>
      (args) =>
        args.flatMap((arg, index) => (index === at % args.length ? [arg, arg] : [arg])),
  ),
  fc.tuple(fc.nat(20), fc.oneof(fc.constantFrom(...odd), fc.string())).map(
    ([at, text]): Mutation =>
      (args) =>
        args.with(at % args.length, text),
  ),
  fc.constantFrom(...odd).map((text): Mutation => (args) => [...args, text]),
  fc.nat(20).map((at): Mutation => (args) => [...args.slice(at % args.length), ...args.slice(0, at % args.length)]),
)

/** `start` would run until it is told to stop. */
const isHarmless = (args: readonly string[]) => args.length > 0 && !args.includes('start')

test('arguments that are nearly right', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...good),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      async (args, changes) => {
        const mutated = changes.reduce<string[]>(
          (current, change) => (current.length === 0 ? current : change(current)),
          args,
        )
        if (isHarmless(mutated)) await endsWell(...mutated)
      },
    ),
    { numRuns: 200 },
  )
})

test('arguments of any kind', async () => {
  const word = fc.oneof(fc.constantFrom(...good.flat(), ...odd), fc.string())
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (args) => {
      if (isHarmless(args)) await endsWell(...args)
    }),
    { numRuns: 200 },
  )
})

/** Changes that break text somewhere: lines lost, doubled, moved, shifted; characters that mean something. */
function mutatedText(text: string): fc.Arbitrary<string> {
  const lines = text.split('\n')
  const at = fc.nat(lines.length - 1)
  const pieces = [
    '\t',
    ':',
    '- ',
    '{',
    '[',
    '"',
    '&a',
    '*a',
    '!!js/function',
    '\0',
    '|',
    '%',
    '1e999',
    '---',
    '<<: *a',
    '\ufeff',
    'null',
    '~',
  ]
  return fc.oneof(
    at.map((line) => lines.toSpliced(line, 1).join('\n')),
    at.map((line) => lines.toSpliced(line, 0, lines[line] ?? '').join('\n')),
    fc.tuple(at, at).map(([from, to]) =>
      lines
        .toSpliced(from, 1)
        .toSpliced(to, 0, lines[from] ?? '')
        .join('\n'),
    ),
    fc
      .tuple(at, fc.constantFrom(...pieces))
      .map(([line, piece]) => lines.with(line, piece + (lines[line] ?? '')).join('\n')),
    fc
      .tuple(fc.nat(text.length), fc.constantFrom(...pieces))
      .map(([place, piece]) => text.slice(0, place) + piece + text.slice(place)),
    fc
      .tuple(fc.nat(text.length), fc.nat(20))
      .map(([place, length]) => text.slice(0, place) + text.slice(place + length)),
    fc.nat(text.length).map((length) => text.slice(0, length)),
  )
}

test('a configuration that is nearly right is accepted or explained', async () => {
  await fc.assert(
    fc.asyncProperty(mutatedText(config), async (text) => {
      await writeFile('mutated.yaml', text)
      await endsWell('-c', 'mutated.yaml', 'config', 'check')
    }),
    { numRuns: 150 },
  )
})

test('a product file that is nearly right is taken or explained', async () => {
  const product =
    'id: a\ntitle: A\nversion: "1"\nupstream: http://127.0.0.1:1\nopenapi: did.json\nlimits:\n  rate: { requests: 1 }\n'
  await fc.assert(
    fc.asyncProperty(mutatedText(product), async (text) => {
      await writeFile('mutated-product.yaml', text)
      await endsWell('products', 'add', 'mutated-product.yaml')
    }),
    { numRuns: 100 },
  )
})

test('evidence that was changed anywhere is judged, check by check', async () => {
  await fc.assert(
    fc.asyncProperty(mutatedText(evidence), async (text) => {
      await writeFile('mutated.json', text)
      await endsWell('verify', 'exchange', 'mutated.json')
    }),
    { numRuns: 100 },
  )
})
