/** What is no address of a server is told as such. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { connectRedis } from './redis-connection.ts'

test('an address that cannot be read is a mistake of the configuration, and its password is not told', async () => {
  for (const url of ['redis://:s3cr%zz@h', 'redis://%zz@h', 'redis://:s3cr@h/one', 'http://:s3cr@h', 's3cr'])
    await assert.rejects(
      connectRedis({ url, timeoutMs: 10 }),
      (error) => error instanceof Problem && error.code === 'config-invalid' && !error.message.includes('s3cr'),
      url,
    )
})
