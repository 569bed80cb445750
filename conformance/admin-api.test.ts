/** The admin API, tried by somebody else's program: `schemathesis` (PyPI) reads the OpenAPI document of a running node
 *  with data in it, calls every operation with what the document allows and what it forbids, and judges each answer by
 *  the document: nothing undeclared, no 5xx, nothing refused that is declared, nothing taken that is not. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { adminOf } from '../packages/node/tests/admin-call.ts'
import {
  ask,
  callLocally,
  consented,
  operate,
  passOn,
  startConsentNetwork,
  type ConsentNetwork,
} from '../packages/node/tests/consent-network.ts'

const version = '4.32.5'
/** The fuzzing; the phase before it, which walks through the schemas, takes as long as it takes. */
const fuzzSeconds = 90

const directory = await mkdtemp(join(tmpdir(), 'comity-schemathesis-'))
after(() => rm(directory, { recursive: true }))

/** Installs the program into a folder of its own. Gives what went wrong. */
function install(): string | undefined {
  const steps = [
    ['python3', '-m', 'venv', join(directory, 'python')],
    [join(directory, 'python/bin/pip'), 'install', '--quiet', '--no-input', `schemathesis==${version}`],
  ] as const
  for (const [program, ...given] of steps) {
    const { status, stderr, error } = spawnSync(program, given, { encoding: 'utf8', timeout: 300_000 })
    if (status !== 0) return error?.message ?? stderr
  }
  return undefined
}

/** What the document cannot tell is left to the services, which refuse with codes of their own: whether valid data is
 *  always taken is therefore not asked. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
  'unsupported_method',
  'allow_header_conformance',
  'use_after_free',
  'ignored_auth',
]

/** Something behind every list: a consent that was granted, used and passed on, one that waits, policies, a link. */
async function fill(network: ConsentNetwork): Promise<void> {
  const consent = await consented(network)
  await callLocally(network.recipient, { consent })
  await passOn(network, consent)
  await ask(network, { reference: 'athlete-2' })
  const text = '@id("all") permit(principal, action, resource);'
  await operate(network.holder, '/v1/policies', { texts: [{ source: 'all', text }] })
}

/** A refusal is one by its status: also that the address or body is too long, or that a condition does not hold. */
const settings = `[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "414", "415", "422", "428", "429", "431"]
`

function run(port: number, token: string): Promise<{ code: number | null; output: string }> {
  const given = [
    `--config-file ${join(directory, 'schemathesis.toml')} run http://127.0.0.1:${port}/openapi.json`,
    `--checks ${checks.join(',')} --phases examples,coverage,fuzzing --mode all --continue-on-failure --no-color`,
    `--max-time ${fuzzSeconds} --seed 1 --request-timeout 60 --suppress-health-check all --output-truncate true`,
  ].flatMap((line) => line.split(' '))
  given.push('--header', `Authorization: Bearer ${token}`)
  return new Promise((resolve, reject) => {
    const child = spawn(join(directory, 'python/bin/schemathesis'), given, { cwd: directory, timeout: 600_000 })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

describe('the admin API as schemathesis sees it', async () => {
  const missing = install()
  if (missing !== undefined) console.error(`schemathesis is not here, the admin API is not tried by it: ${missing}`)

  test('answers as it declares, whatever is sent', { skip: missing !== undefined, timeout: 900_000 }, async () => {
    await using network = await startConsentNetwork()
    await fill(network)

    await writeFile(join(directory, 'schemathesis.toml'), settings)
    const { token } = await adminOf(network.holder)

    const { code, output } = await run(network.holder.running.ports.admin, token)
    assert.equal(code, 0, output)
    assert.equal(network.holder.logged.filter((line) => line.includes('error.internal')).length, 0)
  })
})
