import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hiddenInId, hiddenInName, hiddenInText } from './visible-text.ts'

const legitimate = {
  persian: 'می\u200cخواهم',
  'persian after a mark': 'اعلّ\u200cم',
  hindi: 'क्\u200dष और क्\u200cष',
  sinhala: 'ශ්\u200dරී ලංකා',
  malayalam: 'നന്\u200dമ',
  bengali: 'র\u200d্যাব',
  hebrew: '\u2067שלום\u2069',
  arabic: 'نادي (ABC)\u200f',
  family: '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  'a heart in red': '\u2764\ufe0f\u200d\u{1f525}',
  keycap: '1\ufe0f\u20e3',
  'a variant of a Japanese name': '辻\u{e0100}',
  'combined letters': 'Zoe\u0308 Nguye\u0302\u0303n',
  mongolian: 'ᠠ\u180b',
  thai: 'กรุงเทพ',
}

test('no script loses what it needs', () => {
  for (const [script, name] of Object.entries(legitimate)) {
    assert.equal(hiddenInText(name), undefined, script)
    assert.equal(hiddenInName(name), undefined, script)
  }
})

test('what is not drawn, or reverses what follows, stands in no text', () => {
  const hidden = {
    'U+0000': 'a\u0000b',
    'U+001B': 'a\u001bb',
    'U+202E': 'a\u202eb',
    'U+115F': 'a\u115fb',
    'U+3164': '\u3164',
    'U+2063': 'a\u2063b',
    'U+FEFF': '\ufeffLab',
    'U+FFF9': 'a\ufff9b',
    'U+E0041': 'Lab\u{e0041}\u{e0042}',
    'U+FE01': 'a\ufe01\ufe02',
    'U+E0100': '辻\u{e0100}\u{e0101}',
  }
  for (const [character, text] of Object.entries(hidden)) assert.equal(hiddenInText(text), character)
})

test('prose may break its lines where a name may not', () => {
  for (const text of ['ភាសា\u200bខ្មែរ', 'Donau\u00addampfschiff', 'a\u2060b', 'two\nlines\tand a tab']) {
    assert.equal(hiddenInText(text), undefined)
  }
  const alike = {
    'U+200B': 'Sports\u200b Lab',
    'U+00AD': 'Sports\u00ad Lab',
    'U+2060': '\u2060Sports Lab',
    'U+034F': 'Sports\u034f Lab',
    'U+202A': '\u202aSports Lab',
    'U+200D': 'Sports\u200d Lab',
    'U+200C': 'Спорт\u200cлаб',
    'U+FE0F': 'Sports\ufe0f Lab',
    'U+FE0E': '\ufe0eSports Lab',
    'U+200E': 'Sports\u200e Lab',
    'U+2068': '\u2068Sports Lab\u2069',
  }
  for (const [character, name] of Object.entries(alike)) assert.equal(hiddenInName(name), character)
  assert.equal(hiddenInName('Zoe\u0308\u200d'), 'U+200D', 'nor behind a mark of such a letter')
})

test('an identifier has no mark of direction either, in any script', () => {
  for (const id of ['https://lab.example/सूचना', 'https://lab.example/بحث', 'urn:example:क्\u200dष']) {
    assert.equal(hiddenInId(id), undefined)
  }
  assert.equal(hiddenInId('https://w3id.org/dpv#Academic\u200eResearch'), 'U+200E')
  assert.equal(hiddenInId('https://lab.example/بحث\u200f'), 'U+200F')
  assert.equal(hiddenInId('https://w3id.org/dpv#Academic\u200bResearch'), 'U+200B')
})
