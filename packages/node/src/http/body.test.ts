/** Bodies: no larger than allowed, and no more of them at once than there is room for. */
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { createBodyRoom, readBody, type BodyLimits } from './body.ts'

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

function body(limits: BodyLimits) {
  const stream = new PassThrough()
  const read = readBody(stream as unknown as IncomingMessage, new Map([['transfer-encoding', 'chunked']]), limits)
  return { stream, read: Promise.resolve(read) }
}

describe('the room for bodies', () => {
  test('is shared, refuses what does not fit, and is given back by whole, refused and broken bodies', async () => {
    const limits = { bytes: 60, room: createBodyRoom(100) }
    for (let round = 0; round < 3; round++) {
      const [first, second] = [body(limits), body(limits)]
      first.stream.write(Buffer.alloc(50))
      second.stream.write(Buffer.alloc(51))
      await assert.rejects(second.read, refused('concurrency-limited'))
      first.stream.end(Buffer.alloc(10))
      assert.equal((await first.read).length, 60)

      const broken = body(limits)
      broken.stream.write(Buffer.alloc(60))
      broken.stream.destroy(new Error('hung up'))
      await assert.rejects(broken.read, refused('malformed-request'))

      const large = body(limits)
      large.stream.write(Buffer.alloc(60))
      large.stream.write(Buffer.alloc(1))
      await assert.rejects(large.read, refused('body-too-large'))
    }
    assert.ok(limits.room.take(100))
  })

  test('is not asked for a body that is announced as too large, or for none', () => {
    const limits = { bytes: 10, room: createBodyRoom(0) }
    const message = new PassThrough() as unknown as IncomingMessage
    assert.throws(() => readBody(message, new Map([['content-length', '11']]), limits), refused('body-too-large'))
    assert.equal((readBody(message, new Map([['content-length', '0']]), limits) as Buffer).length, 0)
  })
})
