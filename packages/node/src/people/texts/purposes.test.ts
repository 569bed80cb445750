import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dpvBroader, dpvNamespace } from '@comity/core/consent/dpv-purposes'
import { pageLanguages } from '../language.ts'
import { purposesAr } from './purposes-ar.ts'
import { purposesDe } from './purposes-de.ts'
import { purposesEs } from './purposes-es.ts'
import { purposesFr } from './purposes-fr.ts'
import { purposeWords } from './purposes.ts'

test('every purpose of the vocabulary has words of its own in every language of the pages', () => {
  const iris = [...dpvBroader.keys()]
  for (const tag of Object.keys(pageLanguages)) {
    const words = iris.map((iri) => purposeWords(iri, tag))
    assert.ok(words.every((text) => text !== undefined && text.trim() === text && text !== ''))
    assert.equal(new Set(words).size, iris.length, `two purposes have the same words in ${tag}`)
  }
  const names = iris.map((iri) => iri.slice(dpvNamespace.length)).toSorted()
  for (const table of [purposesDe, purposesFr, purposesEs, purposesAr]) {
    const lines = table.trim().split('\n')
    assert.deepEqual(
      lines.map((line) => /^([A-Za-z]+): \S/.exec(line)?.[1]),
      names,
    )
  }
})

test('a purpose that only looks like one of the vocabulary has no words', () => {
  assert.equal(purposeWords(`${dpvNamespace}AcademicResearch`, 'de'), 'akademische Forschung')
  assert.equal(purposeWords(`${dpvNamespace}AcademicResearch`, 'hi'), 'Academic Research')
  for (const iri of ['https://evil.example/dpv#AcademicResearch', `${dpvNamespace}Purpose`, 'AcademicResearch']) {
    assert.equal(purposeWords(iri, 'de'), undefined)
  }
})
