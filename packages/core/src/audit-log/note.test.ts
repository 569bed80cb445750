import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { generatePrivateJwk, importSigningKey } from '#crypto'
import { ed25519NoteSigner, ed25519NoteVerifier, openNote, parseNote, signNote } from './note.ts'
import { formatVerifierKey, parseVerifierKey, verifierKey } from './verifier-key.ts'

const { signedNotes } = JSON.parse(readFileSync(new URL('../../../../vectors/audit-log.json', import.meta.url), 'utf8'))

const keys = Array.from({ length: 3 }, () => importSigningKey(generatePrivateJwk('ed25519')))
const [key, otherKey, thirdKey] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]]
const name = 'node.example/log'
const signer = ed25519NoteSigner(name, key)
const verifier = ed25519NoteVerifier(verifierKey(name, key.publicJwk))
const note = signNote('one\n\ntwo\n', [signer])

describe('verifier keys (c2sp.org/signed-note)', () => {
  test('are written and read as in the specification', () => {
    for (const { verifierKey: text } of signedNotes) assert.equal(formatVerifierKey(parseVerifierKey(text)), text)
    const own = formatVerifierKey(verifierKey(name, key.publicJwk))
    assert.deepEqual(parseVerifierKey(own), verifierKey(name, key.publicJwk))
  })

  test('are refused when a part is missing, the key ID is not the key’s, or the name has a space or plus', () => {
    const good: string = signedNotes[0].verifierKey
    for (const text of [
      '',
      'a+b',
      good.replace('530d903a', '530d903b'),
      good.replace('530d903a', '530D903A'),
      good.replace('foo', 'f oo'),
      good.slice(0, -1),
      `${good}=`,
      good.replace('example.com/foo', ''),
      'x+00000000+',
    ])
      assert.throws(() => parseVerifierKey(text), { code: 'malformed-key' }, text)
    for (const bad of ['', 'a b', 'a+b', 'a\u00a0b', 'a\nb', '\ud800'])
      assert.throws(() => verifierKey(bad, key.publicJwk), { code: 'malformed-key' })
  })
})

describe('signed notes (c2sp.org/signed-note)', () => {
  test('of the specification verify', () => {
    for (const { verifierKey: vkey, note: text, text: signed } of signedNotes)
      assert.equal(openNote(text, [ed25519NoteVerifier(parseVerifierKey(vkey))]).text, signed)
  })

  test('keep a text with empty lines and any Unicode', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (lines) => {
        const text = `${lines.map((line) => line.replaceAll(/\p{Cc}/gu, '')).join('\n')}\n`
        assert.equal(openNote(signNote(text, [signer]), [verifier]).text, text)
      }),
    )
  })

  test('ignore signatures of unknown keys, also under a known name or a known key ID', () => {
    const stranger = ed25519NoteSigner(name, otherKey)
    const namesake = { ...ed25519NoteSigner('other.example/log', thirdKey), keyId: signer.keyId }
    const mixed = signNote('text\n', [stranger, namesake, signer])
    assert.deepEqual(
      openNote(mixed, [verifier]).signatures.map(({ keyId }) => keyId),
      [signer.keyId],
    )
    assert.throws(() => openNote(signNote('text\n', [stranger, namesake]), [verifier]), { code: 'note-unverified' })
  })

  test('are rejected when a known key fails, even if another known key verifies', () => {
    const bad = { ...signer, sign: (text: string) => otherKey.sign(text) }
    const second = ed25519NoteSigner('second.example', otherKey)
    const both = [verifier, ed25519NoteVerifier(verifierKey('second.example', otherKey.publicJwk))]
    assert.throws(() => openNote(signNote('text\n', [second, bad]), both), { code: 'note-unverified' })
  })

  test('are not read when anything of the format is wrong', () => {
    const line = note.slice(note.lastIndexOf('\u2014'))
    for (const text of [
      '',
      '\n\n',
      'text\n',
      note.slice(0, -1),
      `${note}\n`,
      `${note}x`,
      note.replace('one', 'o\tne'),
      note.replace('one', 'o\rne'),
      note.replace('one', 'o\ud800ne'),
      note.replace('\u2014', '-'),
      note.replace(' node', '  node'),
      `text\n\n\u2014 a+b ${line.split(' ')[2]}`,
      `text\n\n\u2014 ab AAAA\n`,
      `text\n\n\u2014 ab !!!!\n`,
      `text\n\n${line.repeat(101)}`,
      `text\n${line}`,
      'x'.repeat(1_000_001),
    ])
      assert.throws(() => parseNote(text), { code: 'malformed-note' }, JSON.stringify(text.slice(0, 60)))
    assert.equal(parseNote(`text\n\n${line.repeat(16)}`).signatures.length, 16)
    assert.throws(() => signNote('no newline', [signer]), { code: 'malformed-note' })
  })

  test('fail when any bit of the text or the signature is flipped', () => {
    const bytes = Buffer.from(note)
    fc.assert(
      fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
        const flipped = Buffer.from(bytes)
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        assert.throws(() => openNote(flipped.toString(), [verifier]))
      }),
      { numRuns: 200 },
    )
  })
})
