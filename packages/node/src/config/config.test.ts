/** `loadConfig` as an operator meets it: a file in a folder, and what is said about it. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { inspect } from 'node:util'
import { Problem } from '@comity/core/problems'
import fc from 'fast-check'
import { loadConfig } from './config.ts'
import { maxConfigBytes } from './config-document.ts'

const folder = mkdtempSync(join(tmpdir(), 'comity-config-'))
after(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'keys'))
writeFileSync(join(folder, 'keys', 'admin.token'), 'secret-admin-token\n', { mode: 0o600 })
writeFileSync(join(folder, 'athletes.yaml'), 'openapi: 3.1.0\n')
const environment = { COMITY_PASSPHRASE: 'planted-passphrase' }

const good = `comity: 1
participant: { did: "did:web:node.example.org", name: Example }
listen:
  public:
    port: 8443
    url: https://node.example.org
  local: { port: 8081 }
keys: { passphrase: { env: COMITY_PASSPHRASE } }
network: { allowPrivateAddresses: ["127.0.0.0/8", "fd00::/8"] }
products:
  - id: athletes
    title: Athletes
    version: "1.0"
    upstream: http://127.0.0.1:9000
    openapi: ./athletes.yaml
    limits: { timeoutMs: 500 }
partners:
  - alias: lab
    did: did:web:lab.example
    fingerprints: [sha256:${'A'.repeat(43)}]
`

async function load(text: string | Uint8Array, options: { needsSecrets?: boolean } = {}) {
  const file = join(folder, 'comity.yaml')
  writeFileSync(file, text)
  return loadConfig(file, environment, options)
}

/** The mistakes of a text as `line path: message`. */
async function mistakesIn(text: string | Uint8Array): Promise<string[]> {
  try {
    await load(text)
    return []
  } catch (error) {
    assert.ok(error instanceof Problem && error.code === 'config-invalid', inspect(error))
    const errors = (error.members['errors'] ?? []) as { path: string; line: number; message: string }[]
    return errors.length === 0
      ? [error.message]
      : errors.map(({ line, path, message }) => `${line} ${path}: ${message}`)
  }
}

test('a good file becomes a frozen configuration with defaults and absolute paths', async () => {
  const config = await load(good)
  assert.equal(config.directory, folder)
  assert.equal(config.products[0]?.openapi, join(folder, 'athletes.yaml'))
  assert.equal(config.products[0]?.class, 'partner')
  assert.equal(config.keys.directory, join(folder, 'keys'))
  assert.deepEqual(config.listen.admin, { address: '127.0.0.1', port: 8082, allowInsecureRemote: false })
  assert.equal(config.listen.public.url, 'https://node.example.org')
  assert.throws(() => Object.assign(config.listen.public, { port: 1 }), TypeError)
  assert.throws(() => Object.assign(config.products[0] ?? {}, { id: 'x' }), TypeError)
})

test('a configuration holds the places of secrets, never their values', async () => {
  const config = await load(good)
  assert.doesNotMatch(inspect(config, { depth: 20 }) + JSON.stringify(config), /planted-passphrase|secret-admin-token/)
})

test('every mistake is told at once, with its path and line, those across entries too', async () => {
  const bad = good
    .replace('comity: 1', 'comity: 2')
    .replace('url: https://node.example.org', 'url: https://other.example.org')
    .replace('port: 8443', 'port: 8082')
    .replace('{ port: 8081 }', '{ prot: 8081, port: 70000 }')
    .replace('env: COMITY_PASSPHRASE', 'env: NOT_SET')
    .replace('127.0.0.0/8', '127.0.0.0/40')
    .replace('./athletes.yaml', './gone.yaml')
    .replace('title: Athletes', 'titel: Athletes')
    .replace('timeoutMs: 500', 'timeoutMs: soon')
    .replace('alias: lab', 'alias: Lab')
  assert.deepEqual(await mistakesIn(bad), [
    '1 comity: must be `1`',
    '6 listen.public.url: is the address of `did:web:other.example.org`, but `participant.did` is `did:web:node.example.org`',
    '7 listen.local.port: must be at most 65535',
    '7 listen.local.prot: is not known; did you mean `port`?',
    '8 keys.passphrase: the environment variable `NOT_SET` is not set',
    '9 network.allowPrivateAddresses[0]: must be a network in CIDR notation, e.g. `10.1.0.0/16`',
    '11 products[0].title: is missing',
    '12 products[0].titel: is not known; did you mean `title`?',
    '15 products[0].openapi: there is no file `./gone.yaml`',
    '16 products[0].limits.timeoutMs: must be a number',
    '18 partners[0].alias: must match `[a-z0-9][a-z0-9-]{0,62}`',
  ])
})

const faulty: readonly (readonly [string, string, string, RegExp])[] = [
  ['the same port twice', 'port: 8081', 'port: 8443', /local\.port: is the port of `listen.public`/],
  ['a default port that is taken', 'port: 8443', 'port: 8082', /admin\.port: is the port of `listen.public`/],
  ['a public address over plain HTTP', '{ port: 8081 }', '{ address: 0.0.0.0 }', /reachable from other machines/],
  ['an address that is a name', '{ port: 8081 }', '{ address: localhost }', /must be an IP address/],
  ['a url with a path', 'https://node.example.org', 'https://node.example.org/x', /must be an address like/],
  ['a url that is not https', 'https://node.example.org', 'http://node.example.org', /must be an address like/],
  ['a did:jwk of its own', 'did:web:node.example.org', 'did:jwk:e30', /did:web or a did:key/],
  ['a partner that is itself', 'did:web:lab.example', 'did:web:node.example.org', /is the participant itself/],
  ['a partner without an address', 'did:web:lab.example', 'did:jwk:e30', /partners\[0\]\.url: is missing/],
  ['a fingerprint that is none', 'sha256:AAA', 'sha256:A', /must be `sha256:`/],
  ['keys in the folder of the log', 'keys: { ', 'keys: { directory: log/keys, ', /lies in the folder of the log/],
  [
    'a passphrase written out',
    '{ env: COMITY_PASSPHRASE }',
    'planted-passphrase',
    /keys\.passphrase: has none of the allowed/,
  ],
  [
    'an absent TLS certificate',
    '    port: 8443',
    '    tls: { cert: c.pem, key: k.pem }',
    /tls\.cert: there is no file `c.pem`/,
  ],
  [
    'a header that belongs to the connection',
    '    limits:',
    '    upstreamHeaders: { Host: a }\n    limits:',
    /belongs to the conn/,
  ],
  [
    'a secret header that is not there',
    '    limits:',
    '    upstreamHeaders: { X-Key: { env: NO } }\n    limits:',
    /`NO` is not set/,
  ],
  [
    'a list where a mapping must be',
    'keys: { passphrase: { env: COMITY_PASSPHRASE } }',
    'keys: []',
    /keys: must be a mapping/,
  ],
]
for (const [what, from, to, expected] of faulty) {
  test(`refuses ${what}`, async () => {
    assert.ok(good.includes(from), from)
    assert.match((await mistakesIn(good.replace(from, to))).join('\n'), expected)
  })
}

const product = good.slice(good.indexOf('  - id'), good.indexOf('partners:'))
test('refuses an id, an alias and a DID that are taken', async () => {
  const text = `${good.replace('products:\n', `products:\n${product}`)}  - { alias: lab, did: "did:web:lab.example" }\n`
  const found = (await mistakesIn(text)).join('\n')
  assert.match(found, /products\[1\]\.id: `athletes` is taken by `products\[0\]`/)
  assert.match(found, /partners\[1\]\.alias: `lab` is taken/)
  assert.match(found, /partners\[1\]\.did: `did:web:lab.example` is taken/)
})

test('tells every mistake of a personal product beside those of others, each with its line', async () => {
  const section = [
    '    class: personal',
    '    personal:',
    '      subject: { in: path }',
    '      rows: "items[]"',
    '      open: [total, items]',
    '      labels: {}',
    '      domains:',
    '        athlete.body: [height, weight, "height"]',
    '      operations:',
    '        one: { subject: { in: body, pointer: athlete }, actoin: read }',
    '      forwardRequestedFields: true',
    '',
  ]
  const found = await mistakesIn(`${good.replace('    limits: { timeoutMs: 500 }\n', section.join('\n'))}limit: {}\n`)
  assert.deepEqual(found, [
    '18 products[0].personal.subject.name: is missing',
    '20 products[0].personal.open[1]: the open path `items` and `items[]`, which is about people, lie in each other',
    '21 products[0].personal.labels: is not known; known here: ' +
      '`subject`, `rows`, `date`, `open`, `domains`, `sensitivity`, `requestedFields`, `forwardRequestedFields`, `forwardReleasedFields`, `upstreamQuery`, ' +
      '`withheld`, `names`, `operations`, `withoutSubject`',
    '23 products[0].personal.domains.athlete.body[2]: `height` is named twice',
    '25 products[0].personal.operations.one.subject.pointer: is not a JSON pointer such as `/athlete`',
    '25 products[0].personal.operations.one.actoin: is not known; did you mean `action`?',
    '26 products[0].personal.forwardRequestedFields: has no meaning without `requestedFields`',
    '31 limit: is not known; did you mean `limits`?',
  ])
  const classOnly = good.replace('    limits: { timeoutMs: 500 }\n', '    class: personal\n')
  assert.match((await mistakesIn(classOnly)).join(), /products\[0\]\.personal: is missing; a personal product says/)
})

const hostile: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
  [
    'an alias bomb',
    'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n',
    /^1 \(the file\): anchors are not allowed[^]*aliases are not/,
  ],
  ['a key that stands twice', `${good}comity: 1\n`, /21 \(the file\): `comity` stands twice/],
  ['a tag', 'comity: !!js/function "x"\n', /tag/],
  ['two documents', '--- {}\n--- {}\n', /2 \(the file\): a second document/],
  ['nesting without end', '['.repeat(100_000), /nested too deeply/],
  ['text that is not YAML', 'a: "x\n', /this is not YAML/],
  ['an empty file', '', /\(the file\): must be a mapping/],
  ['a list', '- 1\n', /\(the file\): must be a mapping/],
  ['bytes that are not UTF-8', Uint8Array.of(0x61, 0xff), /is not UTF-8/],
  ['a key named `__proto__`', `${good}__proto__: { comity: 1 }\n`, /__proto__: is not known/],
  ['a file that is too large', '#'.repeat(maxConfigBytes + 1), /is larger than/],
]
for (const [what, text, expected] of hostile) {
  test(`refuses ${what}`, async () => assert.match((await mistakesIn(text)).join('\n'), expected))
}

test('a missing file is told with the command that writes one', async () => {
  await assert.rejects(
    loadConfig(join(folder, 'nowhere.yaml'), environment),
    /cannot be read; `comity init` writes one/,
  )
})

test('a command that needs no secrets runs without them', async () => {
  const text = good.replace('env: COMITY_PASSPHRASE', 'env: NOT_SET')
  assert.equal((await load(text, { needsSecrets: false })).participant.name, 'Example')
})

test('refuses a file of a secret that every user may read', async () => {
  const file = join(folder, 'passphrase')
  writeFileSync(file, 'planted-passphrase')
  chmodSync(file, 0o644)
  const text = good.replace('env: COMITY_PASSPHRASE', 'file: passphrase')
  assert.match((await mistakesIn(text)).join('\n'), /`passphrase` is open to every user/)
  chmodSync(file, 0o600)
  assert.deepEqual(await mistakesIn(text), [])
})

test('whatever is done to a file, it is accepted or its mistakes are told', async () => {
  const mutation = fc.tuple(
    fc.nat(good.length),
    fc.nat(20),
    fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('{', '[', ':', '\n', '- ', '&a', '*a', '"')),
  )
  const property = fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
    const mutate = (text: string, [at, length, put]: [number, number, string]) =>
      text.slice(0, at) + put + text.slice(at + length)
    for (const mistake of await mistakesIn(mutations.reduce(mutate, good)))
      assert.doesNotMatch(mistake, /planted-passphrase/)
  })
  await fc.assert(property, { numRuns: 200 })
})

test('sealing has defaults that seal nothing unasked, and takes what is narrower than the node’s own policy', async () => {
  const plain = await load(good)
  assert.deepEqual(plain.sealing.algorithms, ['HPKE-9', 'HPKE-3', 'ECDH-ES+A256KW'])
  assert.equal(plain.products[0]?.sealing, undefined)
  const set = good.replace('limits: {', 'sealing: { answers: required, algorithms: [HPKE-3] }\n    limits: {')
  const config = await load(`${set}    sealing: { requests: required }\nsealing: { algorithms: [HPKE-3, HPKE-9] }\n`)
  assert.deepEqual(config.products[0]?.sealing, { answers: 'required', requests: 'off', algorithms: ['HPKE-3'] })
  assert.deepEqual(config.partners[0]?.sealing, { answers: 'offered', requests: 'required' })
})

test('tells what of sealing cannot be: algorithms beyond the policy, unknown ones, streams, keys that nobody can seal to', async () => {
  const withProduct = (lines: string) => good.replace('limits: { timeoutMs: 500 }', lines)
  assert.deepEqual(
    await mistakesIn(
      `${withProduct('sealing: { answers: offered, algorithms: [HPKE-9] }')}sealing: { algorithms: [HPKE-3] }\n`,
    ),
    ['16 products[0].sealing.algorithms: `HPKE-9` is not one of `sealing.algorithms`'],
  )
  assert.match(
    (await mistakesIn(withProduct('sealing: { algorithms: [RSA1_5] }')))[0] ?? '',
    /sealing\.algorithms\[0\]/,
  )
  const streamed =
    'sealing: { answers: required }\n    data: { domains: { a: [b] }, operations: { list: { stream: true } } }'
  assert.match((await mistakesIn(withProduct(streamed)))[0] ?? '', /sealing\.answers: does not go with .* `list`/)
  const didKey = withProduct('sealing: { requests: offered }').replace(
    'did:web:node.example.org',
    'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
  )
  assert.match((await mistakesIn(didKey)).join(), /sealing\.requests: cannot be: a did:key has no key/)
})
