/** The people's pages in Chromium: a passkey of its virtual authenticator signs the record's hash and the proof holds
 *  offline; everything works without scripts too; axe-core finds nothing in any language. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { verifyConsentProof } from '@comity/core/consent/consent-proof'
import { recordHash } from '@comity/core/consent/parse-record'
import { testGrant, testPurposes, testRequest } from '@comity/core/consent/test-consent'
import { launch, type Browser, type Page } from 'puppeteer-core'
import { grantedConsent } from './consent-scene.ts'
import { asked, openPeopleScene } from './people-scene.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

function findChromium(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  const found = folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path))
  if (found === undefined) throw new Error('Chromium is not here; Debian has it as `chromium`')
  return found
}

async function openBrowser(): Promise<AsyncDisposable & { readonly browser: Browser }> {
  const browser = await launch({
    executablePath: findChromium(),
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  })
  return { browser, [Symbol.asyncDispose]: () => browser.close() }
}

/** Errors and warnings of the console, and requests that left this page's origin: there must be none of them. */
function watch(page: Page, origin: string): string[] {
  const heard: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warn') heard.push(message.text())
  })
  page.on('pageerror', (error) => heard.push(String(error)))
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) heard.push(`request to ${request.url()}`)
  })
  return heard
}

async function addAuthenticator(page: Page, hasUserVerification = true): Promise<void> {
  const client = await page.createCDPSession()
  await client.send('WebAuthn.enable')
  await client.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification,
      isUserVerified: hasUserVerification,
      automaticPresenceSimulation: true,
    },
  })
}

/** Clicks, and waits for the page that comes. */
async function follow(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.click(selector)])
}

async function toReview(page: Page, link: string): Promise<void> {
  await page.goto(link)
  await page.click('label[for="grant-0"]')
  await page.click('label[for="fields-0-0"]')
  await page.select('#time', 'P7D')
  await follow(page, 'button[value="grant"]')
}

const textOf = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, (element) => element.textContent ?? '')

test('a person signs with a passkey, first new, then known; both proofs verify offline', async () => {
  await using scene = await openPeopleScene()
  await using opened = await openBrowser()
  const page = await opened.browser.newPage()
  const heard = watch(page, scene.url)
  await addAuthenticator(page)
  const credentials = new Set<string>()
  for (let decision = 0; decision < 2; decision++) {
    const { id, link } = await asked(scene)
    await toReview(page, link)
    const hash = await textOf(page, 'code.hash')
    await follow(page, '#passkey-button')
    assert.equal(new URL(page.url()).pathname, '/c/done')
    const record = (await scene.consents.records(id)).at(-1)!
    const [proof] = record.proofs
    assert.equal(recordHash(record), hash)
    assert.ok(proof?.type === 'webauthn', `the proof is a ${proof?.type}`)
    credentials.add(proof.value.credentialId)
    const passkey = { rpId: 'localhost', origins: [scene.url], userVerification: true }
    verifyConsentProof(proof, hash, { passkey })
    assert.throws(() => verifyConsentProof(proof, `${hash.slice(1)}A`, { passkey }), { code: 'consent-proof-invalid' })
    scene.world.nowMs += 60_000
  }
  assert.equal(credentials.size, 1, 'the second decision used the passkey of the first')
  assert.deepEqual(heard, [])
  assert.deepEqual(scene.errors, [])
})

test('a device without a passkey is told, and the person confirms without', async () => {
  await using scene = await openPeopleScene()
  await using opened = await openBrowser()
  const page = await opened.browser.newPage()
  const client = await page.createCDPSession()
  // A browser that knows passkeys and no device that has any.
  await client.send('WebAuthn.enable')
  const { id, link } = await asked(scene)
  await toReview(page, link)
  await page.evaluate(() => {
    const device = (globalThis as unknown as { navigator: { credentials: object } }).navigator.credentials
    Object.defineProperty(device, 'create', { value: () => Promise.reject(new Error('no device')) })
  })
  await page.click('#passkey-button')
  await page.waitForSelector('#passkey-failed:not([hidden])')
  await follow(page, '#confirm button[type="submit"]')
  assert.equal((await scene.consents.records(id))[0]?.proofs[0]?.type, 'link')
})

test('everything works without scripts, with the keyboard alone', async () => {
  await using scene = await openPeopleScene()
  await using opened = await openBrowser()
  const page = await opened.browser.newPage()
  await page.setJavaScriptEnabled(false)
  const { id, link } = await asked(scene)
  await page.goto(link)
  const focusOn = async (selector: string): Promise<void> => {
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab')
      if ((await page.$(`${selector}:focus`)) !== null) return
    }
    assert.fail(`${selector} cannot be reached`)
  }
  await focusOn('#grant-0')
  await page.keyboard.press('Space')
  await focusOn('#fields-0-1')
  await page.keyboard.press('Space')
  await focusOn('#time')
  await page.keyboard.type('7')
  await focusOn('button[value="grant"]')
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  await focusOn('#confirm button[type="submit"]')
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  assert.equal(new URL(page.url()).pathname, '/c/done')
  const [record] = await scene.consents.records(id)
  assert.deepEqual(record?.grants[0]?.fields?.include, ['height'])
})

/** What axe-core finds wrong, by the rules of WCAG 2.2 A and AA and its own best practices. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const { axe: tool } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }
    return (await tool.run()).violations
  })
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string }[]
}

/** What makes pages long: names beside ids, exclusions, limits. */
const longNames = {
  product: () => 'Athletes of the federation and of all its regional associations',
  field: (path: string) => ({ en: `The ${path} as it was measured`, de: `Bei der Messung festgestellt: ${path}` }),
  domain: () => 'Sportverbandsmitgliederverwaltungsdaten',
  participant: (did: string) => (did.includes('firm') ? 'Statistics Firm' : undefined),
}
const manyGrants = [
  testGrant({
    title: { en: 'Sport and body', ar: 'الرياضة والجسم' },
    transforms: [{ path: 'height', op: 'round', arg: 10 }],
    onward: { allow: 'listed', recipients: ['did:web:firm.example'], maxDepth: 1 },
    fields: { exclude: ['weight'] },
  }),
  testGrant({ grant: 'no', effect: 'deny', purposes: [testPurposes.marketing], fields: { include: ['height'] } }),
]

test('axe-core finds nothing on any page, in any language, light and dark, on a small screen', async () => {
  await using scene = await openPeopleScene({ names: longNames, timeZone: 'America/Argentina/Buenos_Aires' })
  await using opened = await openBrowser()
  for (const [index, lang] of ['en', 'de', 'fr', 'es', 'ar'].entries()) {
    const context = await opened.browser.createBrowserContext()
    const page = await context.newPage()
    await page.setViewport({ width: 360, height: 740 })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: index % 2 === 0 ? 'light' : 'dark' }])
    await page.setExtraHTTPHeaders({ 'accept-language': lang })
    const reference = `person-${lang}`
    const id = await grantedConsent(scene, testRequest({ subject: { reference, type: 'person' }, grants: manyGrants }))
    scene.uses.push({
      exchange: `019bc0f2-7d40-7cc3-98c4-00000000000${index}`,
      consent: id,
      atMs: scene.world.nowMs,
      caller: 'did:web:lab.example',
      product: 'athletes',
      purpose: 'https://w3id.org/dpv#AcademicResearch',
      released: ['height'],
      withheld: ['weight'],
    })
    scene.uses.push({
      ...scene.uses.at(-1)!,
      exchange: `019bc0f2-7d40-7cc3-98c4-00000000001${index}`,
      caller: `did:web:${'a-very-long-name-of-a-host'.repeat(2)}.example:and:a:path`,
      purpose: 'https://terms.example.org/purposes#SomethingThatNoVocabularyKnows',
    })
    const check = async (name: string): Promise<void> => {
      assert.deepEqual(await violations(page), [], `${lang} ${name}`)
      const { scroll, width } = await page.evaluate(() => {
        const { documentElement, body } = (
          globalThis as unknown as {
            document: Record<'documentElement' | 'body', { scrollWidth: number; clientWidth: number }>
          }
        ).document
        return { scroll: Math.max(documentElement.scrollWidth, body.scrollWidth), width: documentElement.clientWidth }
      })
      assert.ok(scroll <= width, `${lang} ${name} is wider than the screen`)
    }
    scene.world.nowMs += 60_000
    const { link } = await asked(scene, { subject: { reference, type: 'person' }, grants: manyGrants })
    await page.goto(link)
    await check('choice')
    await follow(page, 'button[value="grant"]')
    await check('faults')
    await toReview(page, link)
    await check('review')
    await follow(page, '#confirm button[type="submit"]')
    await check('state')
    await page.goto((await scene.people.createManageLink(reference)).url)
    await check('entrance')
    await follow(page, 'main button')
    await check('overview')
    await page.goto(`${scene.url}/me/consents/${id.replace('urn:uuid:', '')}`)
    await check('details')
    await page.goto(link)
    await check('a link that was used')
    await context.close()
  }
})
