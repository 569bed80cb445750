import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { generatePrivateJwk, importSigningKey } from '#crypto'
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts'
import { cosignatureVerifier, cosignCheckpoint, parseCosignature } from './cosignature.ts'
import { leafHash } from './merkle.ts'
import { ed25519NoteSigner, ed25519NoteVerifier, formatSignatureLine, parseNote } from './note.ts'
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts'
import { cosignatureType, verifierKey } from './verifier-key.ts'

const { cosignedCheckpoint: vector } = JSON.parse(
  readFileSync(new URL('../../../../vectors/audit-log.json', import.meta.url), 'utf8'),
)

const key = importSigningKey(generatePrivateJwk('ed25519'))
const witnessKey = importSigningKey(generatePrivateJwk('ed25519'))
const origin = 'node.example/log'
const signer = ed25519NoteSigner(origin, key)
const log = ed25519NoteVerifier(verifierKey(origin, key.publicJwk))
const witness = cosignatureVerifier(verifierKey('witness.example', witnessKey.publicJwk, cosignatureType))
const entry = Buffer.from('the only entry')
const checkpoint = { origin, size: 1, rootHash: leafHash(entry) }
const note = signCheckpoint(checkpoint, [signer])

describe('checkpoints (c2sp.org/tlog-checkpoint)', () => {
  test('are read and written as in the specification', () => {
    const { text } = parseNote(vector.note)
    const parsed = parseCheckpoint(text)
    assert.equal(parsed.origin, vector.origin)
    assert.equal(parsed.size, vector.size)
    assert.equal(formatCheckpoint(parsed), text)
  })

  test('keep extension lines apart', () => {
    assert.deepEqual(parseCheckpoint(`${formatCheckpoint(checkpoint)}one\ntwo\n`).extensions, ['one', 'two'])
  })

  test('are refused when a line is missing, empty or not canonical', () => {
    const root = formatCheckpoint(checkpoint).split('\n')[2]!
    for (const text of [
      '',
      'o\n1\n',
      `o\n1\n${root}`,
      `\n1\n${root}\n`,
      `o\n01\n${root}\n`,
      `o\n+1\n${root}\n`,
      `o\n1.0\n${root}\n`,
      `o\n-1\n${root}\n`,
      `o\n9007199254740992\n${root}\n`,
      `o\n${'9'.repeat(400)}\n${root}\n`,
      `o\n\n${root}\n`,
      `o\n1\nAAAA\n`,
      `o\n1\n${root.slice(0, -1)}\n`,
      `o\n1\n${root}\n\n`,
      `o\n1\n${root}\n\nx\n`,
    ])
      assert.throws(() => parseCheckpoint(text), { code: 'malformed-checkpoint' }, JSON.stringify(text.slice(0, 60)))
  })

  test('open by the key of their origin only', () => {
    assert.equal(openCheckpoint(note, log).checkpoint.size, 1)
    const elsewhere = ed25519NoteSigner('else.example/log', key)
    const foreign = signCheckpoint(checkpoint, [elsewhere])
    const elsewhereKey = ed25519NoteVerifier(verifierKey('else.example/log', key.publicJwk))
    assert.throws(() => openCheckpoint(foreign, elsewhereKey), { code: 'note-unverified' })
    assert.throws(() => openCheckpoint(foreign, log), { code: 'note-unverified' })
  })
})

describe('cosignatures (c2sp.org/tlog-cosignature, 0x04)', () => {
  const line = formatSignatureLine(
    cosignCheckpoint(parseNote(note).text, { name: 'witness.example', key: witnessKey, time: 1_679_315_147 }),
  )

  test('carry their time as in the specification', () => {
    const signature = parseNote(vector.note).signatures.find(({ name }) => name === vector.witness)!
    assert.equal(parseCosignature(signature.signature).time, vector.time)
    assert.throws(() => parseCosignature(signature.signature.subarray(1)), { code: 'malformed-note' })
    assert.throws(() => parseCosignature(new Uint8Array(72).fill(0xff)), { code: 'malformed-note' })
  })

  test('verify beside the log’s signature, and never instead of it', () => {
    const opened = openCheckpoint(note + line, log, [witness])
    assert.equal(parseCosignature(opened.cosignatures[0]!.signature).time, 1_679_315_147)
    assert.equal(openCheckpoint(note, log, [witness]).cosignatures.length, 0)
    const withoutLog = `${parseNote(note).text}\n${line}`
    assert.throws(() => openCheckpoint(withoutLog, log, [witness]), { code: 'note-unverified' })
  })

  test('fail over another checkpoint or with another time', () => {
    const other = signCheckpoint({ ...checkpoint, size: 2 }, [signer])
    assert.throws(() => openCheckpoint(other + line, log, [witness]), { code: 'note-unverified' })
    const payload = parseNote(note + line).signatures[1]!
    const moved = formatSignatureLine({ ...payload, signature: payload.signature.with(7, 0) })
    assert.throws(() => openCheckpoint(note + moved, log, [witness]), { code: 'note-unverified' })
  })
})

describe('log proofs (c2sp.org/tlog-proof)', () => {
  const proof = { index: 0, hashes: [], checkpoint: note }

  test('come back from their text', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const record = fc.record({ index: fc.maxSafeNat(), hashes: fc.array(hash, { maxLength: 60 }) })
    fc.assert(
      fc.property(record, fc.option(fc.uint8Array(), { nil: undefined }), (made, extra) => {
        const full = { ...made, checkpoint: note, ...(extra === undefined ? {} : { extra }) }
        const parsed = parseTlogProof(formatTlogProof(full))
        assert.equal(formatTlogProof(parsed), formatTlogProof(full))
        assert.equal(parsed.checkpoint, note)
      }),
    )
  })

  test('verify the entry that they are for, and no other', () => {
    const read = parseTlogProof(formatTlogProof(proof))
    assert.equal(verifyTlogProof(read, entry, { log, witnesses: [witness] }).checkpoint.size, 1)
    assert.throws(() => verifyTlogProof(read, Buffer.from('another'), { log }), { code: 'proof-invalid' })
    assert.throws(() => verifyTlogProof({ ...read, index: 1 }, entry, { log }), { code: 'proof-invalid' })
  })

  test('are refused when a line is wrong', () => {
    const text = formatTlogProof(proof)
    for (const wrong of [
      '',
      text.replace('@v1', '@v2'),
      text.replace('index 0', 'index 00'),
      text.replace('index 0', 'index -1'),
      text.replace('index 0', 'indexes 0'),
      text.replace('index 0\n', ''),
      text.replace('index 0', 'extra !\nindex 0'),
      text.replace('index 0', 'index 0\nAAAA'),
      text.replace('index 0', 'index 0\nextra AAAA'),
      text.replace('index 0', `index 0${`\n${'A'.repeat(43)}=`.repeat(65)}`),
      text.replaceAll('\n\n', '\n'),
    ])
      assert.throws(() => parseTlogProof(wrong), { code: 'proof-invalid' }, JSON.stringify(wrong.slice(0, 80)))
  })
})
