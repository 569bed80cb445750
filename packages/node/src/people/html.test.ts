import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseFragment } from 'parse5'
import { bdi, html } from './html.ts'
import { say } from './say.ts'

test('a value is escaped, in text and in quoted attributes; lists are joined, false and undefined are nothing', () => {
  const value = `<a href="x" title='y'>&`
  assert.equal(html`<p title="${value}">${value}</p>`.text.match(/&lt;a/g)?.length, 2)
  assert.equal(html`${['a', html`<b></b>`, 1, false, undefined, ['<']]}`.text, 'a<b></b>1&lt;')
})

test('whatever the text is, a parser reads one text and one attribute with it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const [element, ...others] = parseFragment(html`<p title="${text}">${text}</p>`.text).childNodes
      assert.equal(others.length, 0)
      assert.ok(element !== undefined && 'tagName' in element && element.tagName === 'p')
      assert.deepEqual(
        element.attrs.map(({ name }) => name),
        ['title'],
      )
      assert.ok(element.childNodes.every(({ nodeName }) => nodeName === '#text'))
      // What HTML cannot hold is replaced; line ends become one kind.
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      if (!/[\u0000-\u001f\u007f]/.test(text) && text.isWellFormed()) assert.equal(element.attrs[0]?.value, text)
    }),
    { numRuns: 200 },
  )
})

test('a name cannot turn the text around it, nor look like another', () => {
  assert.equal(bdi('\u202eBAL \u2067trops\u2069\u200f').text, '<bdi>BAL trops</bdi>')
  assert.equal(bdi('الرياضة').text, '<bdi>الرياضة</bdi>')
  assert.equal(bdi('Sports\u200b Lab\u{e0041}\ufeff').text, '<bdi>Sports Lab</bdi>')
  assert.equal(bdi('می\u200cخواهم ශ්\u200dරී \u2764\ufe0f').text, '<bdi>می\u200cخواهم ශ්\u200dරී \u2764\ufe0f</bdi>')
})

test('a sentence takes values as isolated text; what only looks like a place stays', () => {
  const sentence = say('{recipient} asks {holder} for {0} & {nobody}.', { recipient: '<Lab>', holder: html`<b>F</b>` })
  assert.equal(sentence.text, '<bdi>&lt;Lab&gt;</bdi> asks <b>F</b> for {0} &amp; <bdi></bdi>.')
})
