/** `npm start` is the node itself: what ends it ends the node. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { spawnCommand } from './run-bin.ts'

const root = join(import.meta.dirname, '../../..')

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left in it.
  }
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  return outcome
}

test('SIGTERM to `npm start` drains the node and leaves none behind', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'comity-npm-'))
  const [outward, local, admin] = [await freePort(), await freePort(), await freePort()]
  const ports = ['--local-port', `${local}`, '--admin-port', `${admin}`, '--address', '127.0.0.1']
  const init = await spawnCommand('/', 'init', '--dir', directory, '--url', `https://localhost:${outward}`, ...ports)
    .ended
  assert.equal(init.code, 0, init.error)
  // In a group of its own, so that what a failure leaves behind can be ended.
  const options = { cwd: root, stdio: 'pipe', detached: true } as const
  const npm = spawn('npm', ['start', '--', '-c', join(directory, 'comity.yaml')], options)
  const said = { out: '', error: '' }
  const started = Promise.withResolvers<void>()
  npm.stdout.on('data', (data: Buffer) => {
    said.out += data.toString('utf8')
    if (said.out.includes('"event":"node.started"')) started.resolve()
  })
  npm.stderr.on('data', (data: Buffer) => (said.error += data.toString('utf8')))
  // Its output is the node's too: it closes when neither is left.
  const closed = once(npm, 'close').then(() => true)
  try {
    await Promise.race([started.promise, closed])
    assert.ok(await isOpen(outward), said.out + said.error)
    npm.kill('SIGTERM')
    assert.ok(await Promise.race([closed, sleep(60_000, false, { ref: false })]), 'the node goes on without npm')
    assert.match(said.out, /"event":"node\.stopped"/)
    assert.equal(await isOpen(outward), false)
  } finally {
    endGroup(npm.pid)
    await rm(directory, { recursive: true })
  }
})
