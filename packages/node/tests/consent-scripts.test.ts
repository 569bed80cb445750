/** Notices, names and titles in any script go from the question over the page into the record, the exports and back,
 *  letter for letter, and no letter of them is markup anywhere. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { noticeHash } from '@comity/core/consent/consent-record-schema'
import { recordHash } from '@comity/core/consent/parse-record'
import { attribute, textOf } from './html-page.ts'
import { adminOf } from './admin-call.ts'
import {
  ask,
  atHolder,
  browserAt,
  callLocally,
  decideOnPage,
  grantOf,
  operate,
  startConsentNetwork,
  untilHeld,
  type ConsentNetwork,
} from './consent-network.ts'

const notices: Readonly<Record<string, { readonly text: string; readonly direction: string }>> = {
  ar: { text: 'نحن ندرس كيف تشكّل الرياضة الجسم. ١٢٣', direction: 'rtl' },
  hi: { text: 'हम अध्ययन करते हैं कि खेल शरीर को कैसे गढ़ता है। क्षत्रिय', direction: 'ltr' },
  ja: { text: '私たちはスポーツが体をどう形づくるかを研究します。𠮷野家', direction: 'ltr' },
  en: { text: 'We study sport 👩🏽‍🔬🏊‍♀️🇨🇭 & how <b>it</b> "forms" the body — e\u0301 vs \u00e9', direction: 'ltr' },
  he: { text: 'אנחנו חוקרים ספורט abc', direction: 'rtl' },
}
const name = 'مختبر الرياضة 体育 🏋️'
const title = { ar: 'الجسم', hi: 'शरीर', ja: '身体', en: 'Body 🧍', he: 'גוף' }

describe('consent in every script', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startConsentNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  for (const [lang, { text, direction }] of Object.entries(notices)) {
    test(`${lang}: what was shown is what is recorded, exported and known to the recipient`, async () => {
      const label = `${lang} ${title[lang as 'ar']}`
      const all = Object.fromEntries(Object.entries(notices).map(([one, notice]) => [one, notice.text]))
      const { id, link } = await ask(network, {
        notice: { version: '1-ß', text: all },
        label,
        recipient: { name },
        grants: [{ title } as never],
      })
      const browser = browserAt(network, { 'accept-language': lang })
      const shown = await browser.open(link)
      const notice = shown.page.all('div').find((one) => attribute(one, 'class') === 'notice')
      assert.ok(notice)
      assert.deepEqual([textOf(notice), attribute(notice, 'lang'), attribute(notice, 'dir')], [text, lang, direction])
      assert.equal(shown.page.all('b').length, 0)
      assert.ok(shown.page.text.includes(title[lang as 'ar']))
      await decideOnPage(network, link, { browser })
      const held = await untilHeld(network.recipient, id, 'active')
      const [record] = (await atHolder(network, id)).records
      assert.ok(record)
      assert.deepEqual([record.notice.text, record.notice.lang, record.notice.hash], [text, lang, noticeHash(text)])
      assert.deepEqual([held.record, held.label], [record, label])
      assert.deepEqual(await found(held.label ?? ''), [id])
      assert.equal((await callLocally(network.recipient, { consent: id })).code, '200')
      await assertExports(id, text, lang)
    })
  }

  test('characters that turn or hide what is read are refused, with the place where they stand', async () => {
    const admin = await adminOf(network.recipient)
    for (const text of ['ab\u202ecd', 'a\u0000b', 'a\ud800b']) {
      const { status, json } = await admin.call({
        method: 'POST',
        path: '/v1/held-consents',
        body: {
          partner: 'holder',
          reference: '736041664',
          duration: 'P30D',
          notice: { version: '1', text: { en: text } },
          grants: [grantOf({})],
        },
      })
      assert.equal(status, 422, text)
      const { code, errors } = json as { code: string; errors: { pointer: string }[] }
      assert.equal(code, 'consent-request-invalid')
      assert.ok(
        errors.some(({ pointer }) => pointer === '/notice/text/en'),
        JSON.stringify(errors),
      )
    }
  })

  async function found(label: string): Promise<string[]> {
    const path = `/v1/held-consents?label=${encodeURIComponent(label)}`
    return (await operate<readonly { id: string }[]>(network.recipient, path)).map(({ id }) => id)
  }

  async function assertExports(id: string, text: string, lang: string): Promise<void> {
    const { records } = await operate<{ records: readonly never[] }>(
      network.holder,
      `/v1/consents/${id}/export?as=json`,
    )
    const hashes = records.map((record) => recordHash(record))
    assert.equal(hashes[0], (await atHolder(network, id)).hash)
    for (const as of ['27560', 'fhir', 'odrl']) {
      const exported = JSON.stringify(await operate(network.holder, `/v1/consents/${id}/export?as=${as}`))
      assert.ok(!exported.includes('\ufffd'), as)
      assert.ok(!/\\u[dD][89a-fA-F]/.test(exported), `${as} holds half a character`)
      const spelled = as === 'fhir' ? Buffer.from(text).toString('base64') : JSON.stringify(text).slice(1, -1)
      if (as !== 'odrl') assert.ok(exported.includes(spelled), `${as} without the notice`)
      if (as === '27560') assert.ok(exported.includes(`"${lang}"`), exported)
    }
  }
})
