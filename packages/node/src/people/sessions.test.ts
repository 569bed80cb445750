import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { createLinks } from './links.ts'
import { peopleSchema } from './people-schema.ts'
import { createPeopleStore } from './people-store-sql.ts'
import { createSessions, sessionIdleMs } from './sessions.ts'

async function openScene(url = 'https://consent.example.org') {
  const database = await openSqlite(':memory:')
  await database.execute(peopleSchema.map((sql) => ({ sql })))
  const world = { nowMs: 1_000_000 }
  const parts = { store: createPeopleStore(database), clock: { now: () => world.nowMs }, randomBytes, url }
  const links = createLinks(parts)
  const sessions = createSessions(parts)
  const created = links.create({ purpose: 'manage', subject: 'subject' })
  await database.execute(created.statements)
  const secret = created.url.split('/c/')[1] ?? ''
  const session = await sessions.open({ link: await links.find(secret), subject: 'subject', languages: 'en' })
  return { database, world, links, sessions, session, secret, cookie: sessions.cookie(session).split(';')[0] ?? '' }
}

test('the cookie is for this host, this origin and no script', async () => {
  const scene = await openScene()
  await using _ = scene.database
  assert.match(
    scene.sessions.cookie(scene.session),
    /^__Host-comity=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  )
  assert.match(scene.sessions.cookie(undefined), /^__Host-comity=; .*Secure; Max-Age=0$/)
  const local = await openScene('http://localhost:8083')
  await using other = local.database
  assert.match(local.sessions.cookie(local.session), /^comity-person=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
  assert.ok(other)
})

test('a session is found by its cookie alone, whatever else the browser sends', async () => {
  const { database, sessions, cookie, session, secret } = await openScene()
  await using _ = database
  assert.equal((await sessions.find(`a=b; ${cookie}; c=d`))?.hash, session.hash)
  const others = [
    undefined,
    '',
    cookie.replace('__Host-comity', 'comity'),
    `${cookie}; ${cookie}`,
    `${cookie}x`,
    cookie.slice(0, -1),
    `__Host-comity=${session.hash}`,
    `__Host-comity=${secret}`,
  ]
  for (const field of others) assert.equal(await sessions.find(field), undefined, field)
})

test('a session that is used goes on for hours, not for days', async () => {
  const { database, world, sessions, cookie } = await openScene()
  await using _ = database
  const openedMs = world.nowMs
  while (world.nowMs - openedMs <= 4 * 3_600_000 - sessionIdleMs) {
    world.nowMs += sessionIdleMs - 1
    assert.ok(await sessions.find(cookie))
  }
  world.nowMs = openedMs + 4 * 3_600_000 + 1
  assert.equal(await sessions.find(cookie), undefined)
})

test('a link is found by its secret alone, until it is used or too old', async () => {
  const { database, world, links, secret } = await openScene()
  await using _ = database
  const link = await links.find(secret)
  for (const other of [link.hash, secret.slice(1), `${secret}A`, secret.toLowerCase(), '', '../c']) {
    await assert.rejects(links.find(other), { code: 'link-invalid' })
  }
  world.nowMs = link.expiresMs - 1
  assert.ok(await links.find(secret))
  world.nowMs += 1
  await assert.rejects(links.find(secret), { code: 'link-invalid' })
  world.nowMs -= 1
  await links.use(link)
  await assert.rejects(links.find(secret), { code: 'link-invalid' })
  await assert.rejects(links.use(link), { code: 'link-invalid' })
})
