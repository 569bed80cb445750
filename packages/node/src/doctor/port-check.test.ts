import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Config } from '../config/config.ts'
import { checkPorts, decidePort } from './port-check.ts'

const facts = { name: 'public', address: '127.0.0.1', port: 8443, fault: undefined, heldByNode: undefined }

test('a free port is good, and so is one that this node holds', () => {
  assert.equal(decidePort(facts).outcome, 'good')
  assert.equal(decidePort({ ...facts, fault: 'EADDRINUSE', heldByNode: 8443 }).outcome, 'good')
})

test('a port of another program is bad, also while the node runs on another one', () => {
  assert.equal(decidePort({ ...facts, fault: 'EADDRINUSE' }).outcome, 'bad')
  assert.equal(decidePort({ ...facts, fault: 'EADDRINUSE', heldByNode: 9443 }).outcome, 'bad')
})

test('a running node that listens elsewhere was not restarted since the change', () => {
  assert.equal(decidePort({ ...facts, heldByNode: 9443 }).outcome, 'caution')
})

test('a refusal of the system says what to change', () => {
  assert.match(decidePort({ ...facts, port: 443, fault: 'EACCES' }).remedy ?? '', /1024/)
  assert.match(decidePort({ ...facts, fault: 'EADDRNOTAVAIL' }).remedy ?? '', /listen\.public\.address/)
  assert.equal(decidePort({ ...facts, fault: 'EWHATEVER' }).outcome, 'bad')
})

test('real ports are tried, and given back', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const place = { address: '127.0.0.1', port: 0, allowInsecureRemote: false }
  const listen = {
    public: { ...place, url: 'https://a.example' },
    local: { ...place, port },
    admin: place,
    people: { ...place, url: 'https://p.example' },
  }
  const config = { listen } as unknown as Config
  const first = await checkPorts({ config, running: undefined })
  assert.deepEqual(
    first.map(({ outcome }) => outcome),
    ['good', 'bad', 'good', 'good'],
  )
  taken.close()
  await once(taken, 'close')
  const second = await checkPorts({ config, running: undefined })
  assert.deepEqual(
    second.map(({ outcome }) => outcome),
    ['good', 'good', 'good', 'good'],
  )
  const elsewhere = {
    ...config,
    listen: { ...listen, local: { ...place, address: '192.0.2.1', port } },
  } as unknown as Config
  assert.equal((await checkPorts({ config: elsewhere, running: undefined }))[1]?.outcome, 'bad')
})
