import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { openBrowser } from './browser.ts'
import { bodyOf } from './calls.ts'

const form = `<form method="post" action="/decide"><input type="hidden" name="token" value="t&amp;1">
  <label for="a">Height <b>too</b></label><input type="checkbox" id="a" name="field" value="0">
  <label for="b">Weight</label><input type="checkbox" id="b" name="field" value="1" BEFORE>
  <select name="time"><option value="P1D"></select>
  <button name="act" value="grant">Allow</button><button name="act" value="refuse">Refuse</button></form>`

const received: string[] = []
let isTicked = false
const server = createServer((message, response) => {
  void bodyOf(message).then((body) => {
    received.push(`${message.method} ${message.url} ${message.headers.cookie ?? ''} ${body.toString()}`.trim())
    response.setHeader('set-cookie', 'person=s1; Path=/; HttpOnly')
    if (message.method === 'POST') return void response.writeHead(303, { location: '/done' }).end()
    if (message.url === '/gone') return void response.writeHead(404).end('<p>There is no such page')
    response.end(message.url === '/done' ? '<p>You allowed it.' : form.replace('BEFORE', isTicked ? 'checked' : ''))
  })
})
before(() => once(server.listen(0, '127.0.0.1'), 'listening'))
after(() => server.close())
const browser = () => openBrowser(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)

test('sends what was ticked, chosen and pressed, with the cookie, and follows to the next page', async () => {
  received.length = 0
  const person = browser()
  const page = await person.open('/c')
  assert.deepEqual([page.boxes, page.ticked], [2, 0])
  const done = await person.submit(page, { tick: ['Height too'], choose: { time: 'P1D' }, press: 'Allow' })
  assert.equal(done.text, 'You allowed it.')
  assert.deepEqual(received, [
    'GET /c',
    'POST /decide person=s1 token=t%261&field=0&act=grant&time=P1D',
    'GET /done person=s1',
  ])
})

test('counts what is ticked beforehand, and sends it as a browser does', async (t) => {
  isTicked = true
  t.after(() => (isTicked = false))
  received.length = 0
  const person = browser()
  const page = await person.open('/c')
  assert.equal(page.ticked, 1)
  await person.submit(page, { press: 'Refuse' })
  assert.equal(received[1], 'POST /decide person=s1 token=t%261&field=1&act=refuse')
})

test('fails where a person would: no such box, no such button, no such page', async () => {
  const person = browser()
  const page = await person.open('/c')
  await assert.rejects(person.submit(page, { tick: ['Blood'], press: 'Allow' }), /no box “Blood”/)
  await assert.rejects(person.submit(page, { press: 'Sell' }), /no button “Sell”/)
  await assert.rejects(person.open('/gone'), /404: There is no such page/)
})
