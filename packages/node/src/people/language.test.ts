import assert from 'node:assert/strict'
import { test } from 'node:test'
import { directionOf, matchLanguage, pageLanguage, pageLanguages, preferredLanguages } from './language.ts'

test('RFC 9110 §12.5.4: languages come by weight, then by place; what is refused or malformed is left out', () => {
  const cases: [string | undefined, string | undefined, string[]][] = [
    [undefined, undefined, []],
    [undefined, 'da, en-GB;q=0.8, en;q=0.7', ['da', 'en-GB', 'en']],
    [undefined, 'en;q=0.1, de;q=0.9, fr', ['fr', 'de', 'en']],
    [undefined, 'de;q=0, en', ['en']],
    [undefined, '*, x, <script>, de;q=x', []],
    ['ar', 'en', ['ar', 'en']],
    ['"><script>', 'en', ['en']],
    [undefined, 'en, en', ['en']],
  ]
  for (const [chosen, field, expected] of cases) assert.deepEqual(preferredLanguages(chosen, field), expected)
  assert.equal(preferredLanguages(undefined, Array.from({ length: 5_000 }, () => 'de').join()).length, 1)
})

test('RFC 4647 §3.4: a longer tag is served by a shorter, and a shorter by a longer', () => {
  assert.equal(matchLanguage(['de-AT'], ['en', 'de']), 'de')
  assert.equal(matchLanguage(['pt'], ['en', 'pt-BR']), 'pt-BR')
  assert.equal(matchLanguage(['zh-Hant-TW', 'fr'], ['zh-Hans', 'fr']), 'zh-Hans')
  assert.equal(matchLanguage(['ja', 'FR-ca'], ['fr', 'en']), 'fr')
  assert.equal(matchLanguage(['ja'], ['fr', 'en']), undefined)
  assert.equal(pageLanguage(['ja']).tag, 'en')
})

test('direction follows the language, or the script that is named', () => {
  const rtl = ['ar', 'ar-EG', 'he', 'fa', 'ur-PK', 'az-Arab', 'uz-Arab-AF']
  const ltr = ['en', 'de-AT', 'ar-Latn', 'hi', 'zh-Hant', 'arn']
  assert.deepEqual(
    rtl.filter((tag) => directionOf(tag) !== 'rtl'),
    [],
  )
  assert.deepEqual(
    ltr.filter((tag) => directionOf(tag) !== 'ltr'),
    [],
  )
})

test('moments, lengths and countries are written in the language; what is none stays as it is', () => {
  const de = pageLanguage(['de'])
  const ms = Date.parse('2026-03-31T10:00:00Z')
  assert.equal(
    de.moment(ms).text,
    '<time datetime="2026-03-31T10:00:00Z">31. März 2026 um 10:00 UTC (Koordinierte Weltzeit)</time>',
  )
  assert.equal(de.duration('P1Y2M'), '1 Jahr und 2 Monate')
  assert.equal(de.duration('P2W'), '14 Tage')
  assert.equal(de.duration('as long as it takes'), 'as long as it takes')
  assert.equal(de.country('CH'), 'Schweiz')
  assert.equal(de.country('<b>'), '<b>')
})

test('moments are told in the configured zone, with its name at that time of the year', () => {
  const told = (tag: string, moment: string) => pageLanguage([tag], 'Europe/Zurich').moment(Date.parse(moment)).text
  assert.equal(
    told('en', '2026-07-01T10:00:00Z'),
    '<time datetime="2026-07-01T10:00:00Z">1 July 2026 at 12:00 (Central European Summer Time)</time>',
  )
  assert.match(told('de', '2026-01-01T23:30:00Z'), /2\. Januar 2026 um 00:30 \(Mitteleuropäische Normalzeit\)/)
  assert.match(told('ar', '2026-01-01T23:30:00Z'), /توقيت وسط أوروبا/)
  assert.match(pageLanguage(['de']).moment(0).text, /UTC/, 'another zone is another language')
})

test('every text is there in every language, with the same places for values', () => {
  const places = (value: unknown, path = ''): string[] => {
    if (typeof value === 'string') {
      assert.notEqual(value.trim(), '', path)
      return [`${path} ${(value.match(/\{[a-z]+\}/g) ?? []).toSorted().join('')}`]
    }
    return Object.entries(value as object).flatMap(([name, member]) => places(member, `${path}.${name}`))
  }
  const expected = places(pageLanguages['en']).toSorted()
  for (const [tag, texts] of Object.entries(pageLanguages)) assert.deepEqual(places(texts).toSorted(), expected, tag)
})
