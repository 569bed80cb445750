import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readProxyHeader } from './proxy-header.ts'

const read = (text: string) => readProxyHeader(Buffer.from(text, 'latin1'))
const start = '\r\n\r\n\0\r\nQUIT\n'
const binary = ({ command = 0x21, family = 0x11, rest = '' }: { command?: number; family?: number; rest?: string }) => {
  const body = Buffer.from(rest, 'latin1')
  const fixed = Buffer.from([command, family, body.length >> 8, body.length & 0xff])
  return Buffer.concat([Buffer.from(start, 'latin1'), fixed, body])
}
const v4 = '\xc0\x00\x02\x07\xc6\x33\x64\x01\xc3\xcb\x01\xbb'

test('version 1 names the caller, and the bytes behind it are not read', () => {
  const line = 'PROXY TCP4 192.0.2.7 198.51.100.1 50123 443\r\n'
  assert.deepEqual(read(`${line}\x16\x03\x01`), { length: line.length, address: '192.0.2.7' })
  assert.equal((read('PROXY TCP6 2001:db8::7 2001:db8::1 1 443\r\n') as { address: string }).address, '2001:db8::7')
  for (const own of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'])
    assert.deepEqual(read(own), { length: own.length, address: undefined })
})

test('version 2 names the caller, whatever the balancer adds; its own connection has none', () => {
  assert.deepEqual(readProxyHeader(binary({ rest: v4 })), { length: 28, address: '192.0.2.7' })
  assert.deepEqual(readProxyHeader(binary({ rest: `${v4}\x03\x00\x01x` })), { length: 32, address: '192.0.2.7' })
  const v6 = `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x07${'\0'.repeat(16)}\0\x01\0\x02`
  assert.deepEqual(readProxyHeader(binary({ family: 0x21, rest: v6 })), { length: 52, address: '2001:db8::7' })
  assert.deepEqual(readProxyHeader(binary({ command: 0x20, rest: v4 })), { length: 28, address: undefined })
  assert.deepEqual(readProxyHeader(binary({ family: 0, rest: '' })), { length: 16, address: undefined })
})

test('what is no header is refused', () => {
  const wrong = [
    '\x16\x03\x01\x02\x00',
    'GET / HTTP/1.1\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 50123\r\n',
    'PROXY TCP4 2001:db8::7 198.51.100.1 50123 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 50123 65536\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 050 443\r\n',
    'PROXY UDP4 192.0.2.7 198.51.100.1 1 443\r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}`,
  ]
  for (const text of wrong) assert.equal(read(text), 'malformed', text)
  for (const made of [{ command: 0x22 }, { command: 0x11 }, { family: 0x12, rest: v4 }, { rest: v4.slice(1) }])
    assert.equal(readProxyHeader(binary(made)), 'malformed', JSON.stringify(made))
  assert.equal(readProxyHeader(binary({ rest: 'x'.repeat(5_000) })), 'malformed')
})

test('any beginning of a header waits for more, and any bytes are read without a fault', () => {
  const headers = [Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 50123 443\r\n'), binary({ rest: v4 })]
  for (const header of headers)
    for (let length = 0; length < header.length; length++)
      assert.equal(readProxyHeader(header.subarray(0, length)), 'incomplete', `${length}`)
  const tails = fc.tuple(fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', start, `${start}\x21\x11`), fc.uint8Array())
  fc.assert(
    fc.property(tails, ([begin, tail]) => {
      const bytes = Buffer.concat([Buffer.from(begin, 'latin1'), tail])
      const header = readProxyHeader(bytes)
      if (typeof header !== 'string') assert.ok(header.length <= bytes.length)
    }),
    { numRuns: 200 },
  )
})
