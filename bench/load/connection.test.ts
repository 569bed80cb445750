import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, type Answer } from './connection.ts'

/** Sends one request to a server that answers with `parts`, a moment apart, and then ends if `parts` ends with ''. */
async function exchange(parts: readonly string[]): Promise<{ answer: Answer | Error; body: string }> {
  const server = createServer(async (socket: Socket) => {
    socket.on('error', () => undefined)
    await once(socket, 'data')
    for (const part of parts) {
      if (part === '') socket.end()
      else socket.write(part)
      await sleep(5)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connection = await Connection.open({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  const { promise, resolve } = Promise.withResolvers<Answer | Error>()
  let body = ''
  connection.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n', resolve, (part) => void (body += part.toString('latin1')))
  const answer = await promise
  connection.close()
  server.close()
  return { answer, body }
}

test('reads an answer whose head and body arrive in any pieces', async () => {
  const whole = 'HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello'
  for (const cut of [4, 12, 37, 40, 41, 42, 43, 45]) {
    const { answer, body } = await exchange([whole.slice(0, cut), whole.slice(cut)])
    assert.ok(!(answer instanceof Error))
    assert.deepEqual([answer.status, answer.bodyBytes, body], [201, 5, 'hello'])
  }
})

test('refuses an answer without content-length, with more bytes than it said, or that never ends', async () => {
  const head = 'HTTP/1.1 200 OK\r\n'
  const wrong = [[`${head}\r\n`], [`${head}content-length: 1\r\n\r\nab`], [`${head}content-length: 3\r\n\r\na`, '']]
  for (const parts of wrong) assert.ok((await exchange(parts)).answer instanceof Error, parts.join(' '))
})
