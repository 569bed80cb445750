/** Composites of several holders: each answers and proves its own parts; who is down or lies takes no other part along. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sliceContent, sliceHash } from '@comity/core/exchange/composite-answer'
import type { PartClaims } from '@comity/core/exchange/composite-parts'
import { parseReceipt } from '@comity/core/exchange/receipt'
import type { ProblemCode } from '@comity/core/problems'
import { compose, type PartDraft } from './composite-calls.ts'
import { startLyingHolder, write, type Lie, type LyingHolder } from './lying-holder.ts'
import { loggedExchange } from './signed-call.ts'
import { agree, startTestNetwork, testPurpose, type TestNetwork, type TestNode } from './test-network.ts'

const item = (partner: string, changes: PartDraft = {}): PartDraft => ({
  partner,
  product: 'items',
  path: '/items/7',
  purpose: testPurpose,
  ...changes,
})

/** The network with another holder, `club`, that offers the same products. */
async function startHolders(): Promise<TestNetwork & { readonly club: TestNode }> {
  let products: unknown
  const network = await startTestNetwork({
    holder: (config) => {
      products = structuredClone(config['products'])
    },
    recipient: (config) => Object.assign(config['network'] as object, { timeoutMs: 1_500 }),
    others: { club: (config) => Object.assign(config, { products }) },
  })
  const { club } = network.others
  assert.ok(club)
  await agree(club, network.recipient)
  return { ...network, club, [Symbol.asyncDispose]: () => network[Symbol.asyncDispose]() }
}

describe('a composite of two holders', () => {
  let network: Awaited<ReturnType<typeof startHolders>>
  before(async () => {
    network = await startHolders()
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  test('is one exchange with each, at the same time, and each proves its own parts', async () => {
    const { codes, exchanges, slices } = await compose(network, {
      a: item('holder'),
      b: item('club'),
      c: item(network.holder.did, { path: '/items/8' }),
    })
    assert.deepEqual(codes, { a: '200', b: '200', c: '200' })
    assert.deepEqual([...slices.keys()], ['a', 'b', 'c'])
    const { holder, club, recipient } = network
    assert.deepEqual(
      exchanges.map(({ partner, parts }) => [partner, parts]),
      [
        [holder.did, ['a', 'c']],
        [club.did, ['b']],
      ],
    )
    for (const { partner, exchange, receipt = '' } of exchanges) {
      const { claims } = parseReceipt(receipt)
      assert.equal(claims.iss, partner)
      for (const { name, res } of claims.parts ?? []) assert.equal(res, sliceHash(slices.get(name) as never))
      const event = await loggedExchange(recipient, exchange)
      assert.deepEqual([event?.peer, event?.outcome], [partner, 'allowed'])
    }
  })

  test('with one that is not known, and one product without agreement, answers the rest', async () => {
    const { codes, exchanges, id } = await compose(network, {
      good: item('club'),
      nobody: item('nobody'),
      purposeless: item('holder', { purpose: 'https://p.example/other' }),
      person: item('holder', { consent: 'urn:uuid:none' }),
    })
    assert.deepEqual(codes, {
      good: '200',
      nobody: 'partner-unknown',
      purposeless: 'agreement-purpose',
      person: 'consent-unknown',
    })
    assert.deepEqual(exchanges.length, 1)
    const event = await loggedExchange(network.recipient, id)
    assert.deepEqual([event?.outcome, event?.problem], ['denied', 'partner-unknown'], 'the first record')
  })

  test('keeps its purpose and actor for every part that names none', async () => {
    const { purpose: _, ...bare } = item('club')
    const headers = { 'comity-purpose': testPurpose, 'comity-actor': '"billing";type=service' }
    const { codes, exchanges } = await compose(network, { a: bare }, headers)
    assert.deepEqual(codes, { a: '200' })
    assert.equal(parseReceipt(exchanges[0]?.receipt ?? '').claims.parts?.[0]?.pur, testPurpose)
  })

  test('of sixteen parts is one exchange too, whose receipt names them all', async () => {
    const names = Array.from({ length: 16 }, (_, at) => `part-with-a-quite-long-name-${at}`)
    const { codes, exchanges } = await compose(network, Object.fromEntries(names.map((name) => [name, item('club')])))
    assert.ok(Object.values(codes).every((code) => code === '200'))
    const { claims } = parseReceipt(exchanges[0]?.receipt ?? '')
    assert.deepEqual(
      claims.parts?.map(({ name }) => name),
      names,
    )
  })

  test('of which one is down has problems in the place of its parts alone', async () => {
    await network.club.stop()
    try {
      const { codes, exchanges } = await compose(network, { a: item('holder'), b: item('club'), c: item('club') })
      assert.deepEqual(codes, { a: '200', b: 'partner-unreachable', c: 'partner-unreachable' })
      const failed = exchanges.find(({ partner }) => partner === network.club.did)
      assert.equal(failed?.receipt, undefined)
      const event = await loggedExchange(network.recipient, failed?.exchange ?? '')
      assert.deepEqual([event?.outcome, event?.problem], ['failed', 'partner-unreachable'])
    } finally {
      await network.club.start()
    }
  })
})

describe('of a composite that lies', () => {
  let network: Awaited<ReturnType<typeof startHolders>>
  let liar: LyingHolder
  let agreementId: string
  before(async () => {
    network = await startHolders()
    agreementId = await network.agree()
    await compose(network, { a: item('holder') })
    liar = await startLyingHolder(network, agreementId)
  })
  after(async () => {
    await liar[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
  })

  const json = '{"id":7,"name":"planted"}'
  const slice = (text = json) => `{"status":200,"type":"application/json","body":${text}}`
  const res = sliceHash({ status: 200, content: sliceContent('application/json', Buffer.from(json), false) as never })
  const stated = (name: string, changes: Partial<PartClaims> = {}): PartClaims => ({
    name,
    prd: 'items',
    ver: '1.0.0',
    agr: agreementId,
    pur: testPurpose,
    status: 200,
    res,
    ...changes,
  })
  const whole = { prd: '~composite', ver: '1', op: 'composite', agr: undefined, pur: undefined }
  const body = `{"parts":{"a":${slice()},"b":${slice()}}}`

  async function outcome(lie: Lie): Promise<{ codes: Record<string, string>; text: string }> {
    liar.behave = (request, response) => write(response, liar.answer(request, lie))
    return compose(network, { a: item('holder'), b: item('holder'), honest: item('club') })
  }

  test('an honest answer of the same making is taken', async () => {
    const claims = { ...whole, parts: [stated('a'), stated('b')] }
    assert.deepEqual((await outcome({ body, claims })).codes, { a: '200', b: '200', honest: '200' })
  })

  const parts = () => [stated('a'), stated('b')]
  const lies: Record<string, [code: ProblemCode, lie: () => Lie]> = {
    'a slice that is not the one in the receipt': [
      'answer-unbound',
      () => ({
        body: `{"parts":{"a":${slice('{"name":"planted"}')},"b":${slice()}}}`,
        claims: { ...whole, parts: parts() },
      }),
    ],
    'a slice in other digits': [
      'answer-unbound',
      () => ({ body: body.replace('7', '7.0'), claims: { ...whole, parts: parts() } }),
    ],
    'a part left out of the answer': [
      'answer-unbound',
      () => ({ body: `{"parts":{"a":${slice()}}}`, claims: { ...whole, parts: parts() } }),
    ],
    'a part left out of the receipt': ['answer-unbound', () => ({ body, claims: { ...whole, parts: [stated('a')] } })],
    'a part under another name': [
      'answer-unbound',
      () => ({ body: body.replace('"b"', '"c"'), claims: { ...whole, parts: [stated('a'), stated('c')] } }),
    ],
    'a receipt without parts': ['answer-unbound', () => ({ body, claims: whole })],
    'a hash of parts that is of no list': ['answer-unbound', () => ({ body, claims: { ...whole, pth: res } })],
    'another product': [
      'answer-unbound',
      () => ({ body, claims: { ...whole, parts: [stated('a', { prd: 'other' }), stated('b')] } }),
    ],
    'no product': [
      'answer-unbound',
      () => ({ body, claims: { ...whole, parts: [stated('a', { prd: undefined }), stated('b')] } }),
    ],
    'another agreement': [
      'answer-unbound',
      () => ({ body, claims: { ...whole, parts: [stated('a', { agr: 'urn:uuid:other' }), stated('b')] } }),
    ],
    'another purpose': [
      'answer-unbound',
      () => ({ body, claims: { ...whole, parts: [stated('a', { pur: 'https://p.example/other' }), stated('b')] } }),
    ],
    'a consent that was not presented': [
      'answer-unbound',
      () => ({
        body,
        claims: { ...whole, parts: [stated('a', { con: { id: 'c', rev: 1, hash: res } }), stated('b')] },
      }),
    ],
    'another status of a part': [
      'answer-unbound',
      () => ({ body, claims: { ...whole, parts: [stated('a', { status: 201 }), stated('b')] } }),
    ],
    'the receipt of a product': ['answer-unbound', () => ({ body, claims: { parts: parts() } })],
    'an answer that is no composite': ['answer-invalid', () => ({ claims: { ...whole, parts: parts() } })],
    'a part twice': [
      'answer-invalid',
      () => ({ body: `{"parts":{"a":${slice()},"a":${slice()}}}`, claims: { ...whole, parts: parts() } }),
    ],
    'two contents of a part': [
      'answer-invalid',
      () => ({
        body: body.replace('"status":200', '"status":200,"text":"planted"'),
        claims: { ...whole, parts: parts() },
      }),
    ],
    'another status of the whole': [
      'answer-invalid',
      () => ({ status: 203, body, claims: { ...whole, parts: parts() } }),
    ],
  }
  for (const [name, [code, lie]] of Object.entries(lies)) {
    test(`nothing of the holder’s reaches the application: ${name}`, async () => {
      const { codes, text } = await outcome(lie())
      assert.deepEqual(codes, { a: code, b: code, honest: '200' })
      assert.doesNotMatch(text, /planted/)
    })
  }

  test('nor is the receipt of one taken for an exchange by itself', async () => {
    const claims = { parts: parts() }
    liar.behave = (request, response) => write(response, liar.answer(request, { claims }))
    const answer = await fetch(network.recipient.local('/holder/items/items/7'), {
      headers: { 'comity-purpose': testPurpose },
    })
    assert.equal(((await answer.json()) as { code: string }).code, 'answer-unbound')
  })
})
