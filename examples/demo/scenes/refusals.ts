/** Third scene: what must fail. A thief sits at the federation's address with its stolen TLS key; others try their
 *  luck. Each refusal is told as its caller reads it. */
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyOf } from '@comity/core/identity/did-key'
import type { NamedKey, OwnIdentity } from '@comity/node/identity/own-identity'
import { call, expectJson, expectRefusal } from '../stage/calls.ts'
import { digestOf, sendHandSigned, unlock } from '../stage/keys.ts'
import type { Report } from '../stage/report.ts'
import type { WireAnswer, WireRequest } from '../stage/wire.ts'
import { atFederation, atLab, athlete, otherAthlete, purpose, type Cast, type Scene } from './cast.ts'

const headers = { 'comity-purpose': purpose }
const oneAthlete = `athletes/athletes/${athlete}`

export const refusals: Scene = async (cast, report) => {
  report.chapter(
    'What must fail',
    'A thief has the federation’s TLS key and sits in its network; others try their luck too.',
  )
  const [federationKeys, labKeys] = await Promise.all([unlock(cast.federation), unlock(cast.lab)])
  await refuseStolenRequests(cast, report, federationKeys)
  await refuseWrongSignatures(cast, report, labKeys.authenticationKey())
  await refuseUndeclared(cast, report)
  await refuseChangedAnswers(cast, report, federationKeys)
}

/** Real requests of the lab's node, copied on the way and sent again by somebody else. */
async function refuseStolenRequests(cast: Cast, report: Report, keys: OwnIdentity): Promise<void> {
  const stolen = await steal(cast, keys)
  const resend = ({ method, target, headers: fields }: WireRequest, change: Change) =>
    call(cast.federation.url + target, { method, headers: { ...fields, ...change.headers }, body: change.body })
  await report.attempt('replayed request', async () => {
    const { read } = stolen
    return expectRefusal(await resend(read, { body: read.body }), { status: 401, code: 'nonce-replayed' })
  })
  const { write } = stolen
  const body = Buffer.from(write.body.toString('utf8').replace('"value":52', '"value":72'))
  await report.attempt('changed body', async () =>
    expectRefusal(await resend(write, { body }), { status: 400, code: 'digest-mismatch' }),
  )
  await report.attempt('changed body, changed digest', async () => {
    const change = { body, headers: { 'content-digest': digestOf(body) } }
    return expectRefusal(await resend(write, change), { status: 401, code: 'signature-invalid' })
  })
}

interface Change {
  readonly body: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** The thief passes everything on unchanged, so that nobody notices, and keeps a copy. */
async function steal(cast: Cast, keys: OwnIdentity): Promise<{ read: WireRequest; write: WireRequest }> {
  const copies: WireRequest[] = []
  const copy = (request: WireRequest, answer: WireAnswer): WireAnswer => {
    copies.push(request)
    return answer
  }
  await cast.wire.withThief(keys.tls(), copy, async () => {
    expectJson(await call(atLab(cast, oneAthlete), { headers }))
    const observation = { athlete, kind: 'resting_heart_rate', value: 52, observed_at: '2016-08-06T12:00:00Z' }
    const fields = { ...headers, 'content-type': 'application/json' }
    const init = { method: 'POST', headers: fields, body: JSON.stringify(observation) }
    expectJson(await call(atLab(cast, 'athletes/observations'), init), 201)
  })
  const read = copies.find(({ method }) => method === 'GET')
  const write = copies.find(({ method }) => method === 'POST')
  if (read === undefined || write === undefined) throw new Error('the thief saw no requests')
  return { read, write }
}

async function refuseWrongSignatures(cast: Cast, report: Report, labKey: NamedKey): Promise<void> {
  const url = atFederation(cast, oneAthlete)
  await report.attempt('stale timestamp', async () => {
    const answer = await sendHandSigned({ signer: labKey, url, headers, ageSeconds: 600 })
    return expectRefusal(answer, { status: 401, code: 'signature-stale' })
  })
  const key = importSigningKey(generatePrivateJwk('ed25519'))
  const did = didKeyOf(key.publicJwk)
  const stranger: NamedKey = { keyid: `${did}#${did.slice('did:key:'.length)}`, key }
  await report.attempt("another participant's key", async () => {
    const signer = { keyid: labKey.keyid, key: sameKind(labKey) }
    return expectRefusal(await sendHandSigned({ signer, url, headers }), { status: 401, code: 'signature-invalid' })
  })
  await report.attempt('a stranger with its own key', async () =>
    expectRefusal(await sendHandSigned({ signer: stranger, url, headers }), {
      status: 403,
      code: 'agreement-required',
    }),
  )
}

/** Somebody else's key of the same algorithm, used under the lab's name. */
function sameKind({ key }: NamedKey): NamedKey['key'] {
  return importSigningKey(generatePrivateJwk(key.algorithm))
}

async function refuseUndeclared(cast: Cast, report: Report): Promise<void> {
  await report.attempt('undeclared route', async () => {
    const answer = await call(atLab(cast, `${oneAthlete}/medical-file`), { headers })
    return expectRefusal(answer, { status: 404, code: 'not-found' })
  })
  await report.attempt('undeclared parameter', async () => {
    const answer = await call(atLab(cast, 'athletes/athletes?info_like=injury'), { headers })
    return expectRefusal(answer, { status: 400, code: 'invalid-parameters' })
  })
  await report.attempt('purpose that was not agreed', async () => {
    const answer = await call(atLab(cast, oneAthlete), {
      headers: { 'comity-purpose': 'https://w3id.org/dpv#Marketing' },
    })
    return expectRefusal(answer, { status: 403, code: 'agreement-purpose' })
  })
}

/** TLS is in order each time: the thief has the key that the lab has pinned. Only the signatures save the day. */
async function refuseChangedAnswers(cast: Cast, report: Report, keys: OwnIdentity): Promise<void> {
  const read = () => call(atLab(cast, oneAthlete), { headers })
  const tls = keys.tls()
  await report.attempt('answer changed on the way', async () => {
    const answer = await cast.wire.withThief(tls, (_request, genuine) => changeHeight(genuine), read)
    return expectRefusal(answer, { status: 502, code: 'answer-invalid' })
  })
  await report.attempt('answer with another digest', async () => {
    const change = (_request: WireRequest, genuine: WireAnswer) => {
      const changed = changeHeight(genuine)
      return { ...changed, headers: { ...changed.headers, 'content-digest': digestOf(changed.body) } }
    }
    return expectRefusal(await cast.wire.withThief(tls, change, read), { status: 502, code: 'answer-invalid' })
  })
  await report.attempt("another athlete's answer", async () => {
    let earlier: WireAnswer | undefined
    const swap = (_request: WireRequest, genuine: WireAnswer) => (earlier ??= genuine)
    const answer = await cast.wire.withThief(tls, swap, async () => {
      await call(atLab(cast, `athletes/athletes/${otherAthlete}`), { headers })
      return read()
    })
    return expectRefusal(answer, { status: 502, code: 'answer-invalid' })
  })
}

/** Makes the athlete ten centimetres taller. */
function changeHeight(answer: WireAnswer): WireAnswer {
  const athleteRead = JSON.parse(answer.body.toString('utf8')) as { height: number }
  return { ...answer, body: Buffer.from(JSON.stringify({ ...athleteRead, height: athleteRead.height + 0.1 })) }
}
