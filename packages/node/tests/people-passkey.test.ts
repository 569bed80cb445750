/** The hash of a record, signed with a passkey: the proof holds offline, and nothing else passes for one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyConsentProof } from '@comity/core/consent/consent-proof'
import { recordHash } from '@comity/core/consent/parse-record'
import { athlete } from './consent-scene.ts'
import { TestPasskey } from './people-passkey.ts'
import { asked, Browser, openPeopleScene, type PeopleScene, type Visit } from './people-scene.ts'

const ticks: [string, string][] = [
  ['grant-0', 'yes'],
  ['fields-0', '0'],
  ['time', 'P30D'],
  ['act', 'grant'],
]

/** A browser at the second step, with what its script would send. */
async function atReview(scene: PeopleScene, reference?: string) {
  const { id, link } = await asked(scene, reference === undefined ? {} : { subject: { reference, type: 'person' } })
  const browser = new Browser(scene)
  const review = await browser.submit(await browser.open(link), '/c/decide', ticks)
  const { hidden } = review.page.form('/c/confirm')
  const fields = hidden.filter(([name]) => name !== 'assertion')
  const post = (path: string, more: [string, string][] = []) => browser.post(path, [...fields, ...more])
  return { id, browser, review, fields, post }
}

const parsed = (visit: Visit) => JSON.parse(visit.text)
const placeOf = ({ url }: PeopleScene) => ({ origin: url, rpId: 'localhost' })

test('the first time a passkey is registered, then it signs the hash; the proof verifies offline', async () => {
  await using scene = await openPeopleScene()
  const { id, review, post } = await atReview(scene)
  assert.ok(review.page.byId('passkey-button'))
  const passkey = new TestPasskey(placeOf(scene))
  const first = parsed(await post('/c/passkey/next'))
  assert.equal(first.step, 'register')
  assert.deepEqual(first.options.rp, { id: 'localhost', name: 'Sports Federation' })
  assert.ok(!JSON.stringify(first.options).includes('736041664'))
  const registration = JSON.stringify(passkey.register(first.options))
  const second = parsed(await post('/c/passkey/register', [['registration', registration]]))
  assert.equal(second.step, 'sign')
  assert.deepEqual(second.options.allowCredentials[0].id, passkey.id.toString('base64url'))
  const done = await post('/c/confirm', [['assertion', JSON.stringify(passkey.sign(second.options))]])
  assert.equal(done.path, '/c/done')
  const [record] = await scene.consents.records(id)
  const proof = record!.proofs[0]!
  assert.equal(second.options.challenge, recordHash(record!))
  assert.deepEqual([proof.type, proof.role, proof.by], ['webauthn', 'subject', record!.subject.id])
  verifyConsentProof(proof, recordHash(record!), { passkey: { rpId: 'localhost', origins: [scene.url] } })
  const other = `${recordHash(record!).slice(1)}A`
  assert.throws(() => verifyConsentProof(proof, other, { passkey: { rpId: 'localhost', origins: [scene.url] } }), {
    code: 'consent-proof-invalid',
  })
})

test('a device that has RSA keys only confirms as well, and its proof verifies offline; a weak key is not kept', async () => {
  await using scene = await openPeopleScene()
  const { id, post } = await atReview(scene)
  const offered = async () => parsed(await post('/c/passkey/next')).options
  const first = await offered()
  assert.deepEqual(
    first.pubKeyCredParams.map(({ alg }: { alg: number }) => alg),
    [-7, -8, -257],
  )
  const keep = (passkey: TestPasskey, options: { challenge: string }) =>
    post('/c/passkey/register', [['registration', JSON.stringify(passkey.register(options))]])
  const weak = await keep(new TestPasskey(placeOf(scene), 1024), first)
  assert.equal(parsed(weak).code, 'consent-proof-invalid')
  const passkey = new TestPasskey(placeOf(scene), 2048)
  const { options } = parsed(await keep(passkey, await offered()))
  await post('/c/confirm', [['assertion', JSON.stringify(passkey.sign(options))]])
  const [record] = await scene.consents.records(id)
  const proof = record?.proofs[0] ?? assert.fail('nothing was granted')
  verifyConsentProof(proof, recordHash(record!), { passkey: { rpId: 'localhost', origins: [scene.url] } })
})

test('the next decision of the same person is signed with the passkey that is known', async () => {
  await using scene = await openPeopleScene()
  const passkey = new TestPasskey(placeOf(scene))
  for (const step of ['register', 'sign']) {
    const { id, post } = await atReview(scene)
    let next = parsed(await post('/c/passkey/next'))
    assert.equal(next.step, step)
    if (step === 'register') {
      next = parsed(
        await post('/c/passkey/register', [['registration', JSON.stringify(passkey.register(next.options))]]),
      )
    }
    await post('/c/confirm', [['assertion', JSON.stringify(passkey.sign(next.options))]])
    assert.equal((await scene.consents.records(id)).at(-1)?.proofs[0]?.type, 'webauthn')
    scene.world.nowMs += 60_000
  }
})

test('what is not an assertion of a registered passkey over this hash, for this place, grants nothing', async () => {
  await using scene = await openPeopleScene()
  const passkey = new TestPasskey(placeOf(scene))
  const { id, post } = await atReview(scene)
  const first = parsed(await post('/c/passkey/next'))
  const { options } = parsed(
    await post('/c/passkey/register', [['registration', JSON.stringify(passkey.register(first.options))]]),
  )
  const stranger = new TestPasskey(placeOf(scene))
  const elsewhere = new TestPasskey({ origin: 'https://evil.example', rpId: 'evil.example' })
  const assertions = [
    JSON.stringify(stranger.sign(options)),
    JSON.stringify(elsewhere.sign(options)),
    JSON.stringify(passkey.sign({ challenge: `${options.challenge.slice(1)}A` })),
    '{}',
    'null',
    '[]',
    '{"id":"x"}',
    '"text"',
  ]
  for (const assertion of assertions) {
    const answer = await post('/c/confirm', [['assertion', assertion]])
    assert.equal(answer.status, 422, assertion.slice(0, 40))
    assert.equal((await scene.consents.find(id))?.state, 'requested')
  }
  assert.equal((await post('/c/confirm', [['assertion', '{']])).status, 400)
  const replayed = new TestPasskey(placeOf(scene))
  const again = await post('/c/passkey/register', [['registration', JSON.stringify(replayed.register(first.options))]])
  assert.deepEqual([again.status, parsed(again).code], [422, 'consent-proof-invalid'], 'a challenge counts once')
  assert.deepEqual(scene.errors, [])
})

test('who was reset makes a new passkey, and the lost one signs no more', async () => {
  await using scene = await openPeopleScene()
  const lost = new TestPasskey(placeOf(scene))
  const { post } = await atReview(scene)
  const first = parsed(await post('/c/passkey/next'))
  await post('/c/passkey/register', [['registration', JSON.stringify(lost.register(first.options))]])
  assert.equal(parsed(await post('/c/passkey/next')).step, 'sign')
  await scene.database.execute(scene.people.deleteSubject(scene.vault.handleOf(athlete)))
  assert.equal(parsed(await post('/c/passkey/next')).code, 'session-required')
  const again = await atReview(scene)
  assert.equal(parsed(await again.post('/c/passkey/next')).step, 'register')
  const challenge = again.fields.find(([name]) => name === 'hash')![1]
  assert.equal((await again.post('/c/confirm', [['assertion', JSON.stringify(lost.sign({ challenge }))]])).status, 422)
})

test('the passkey of one person signs for no other', async () => {
  await using scene = await openPeopleScene()
  const passkey = new TestPasskey(placeOf(scene))
  const mine = await atReview(scene)
  const first = parsed(await mine.post('/c/passkey/next'))
  await mine.post('/c/passkey/register', [['registration', JSON.stringify(passkey.register(first.options))]])
  const other = await atReview(scene, '9')
  const challenge = other.fields.find(([name]) => name === 'hash')![1]
  const answer = await other.post('/c/confirm', [['assertion', JSON.stringify(passkey.sign({ challenge }))]])
  assert.equal(answer.status, 422)
  assert.equal((await scene.consents.find(other.id))?.state, 'requested')
})

test('at an address without a name there are no passkeys, and the page does not speak of them', async () => {
  await using scene = await openPeopleScene({ url: 'http://127.0.0.1:9' })
  const { review, post } = await atReview(scene)
  assert.equal(review.page.byId('passkey-button'), undefined)
  assert.equal(review.page.all('script').length, 0)
  assert.equal((await post('/c/confirm')).path, '/c/done')
})
