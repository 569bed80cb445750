import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeAudit } from './judge-audit.ts'

const metadata = { dependencies: { prod: 40, total: 240 } }
const answer = (vulnerabilities: object) => JSON.stringify({ auditReportVersion: 2, vulnerabilities, metadata })

test('a known fault of weight fails, with its package and what it is; a slight one does not', () => {
  const via = [{ title: 'Prototype pollution', url: 'https://github.com/advisories/x' }, 'other']
  const { verdict, lines } = judgeAudit(answer({ bad: { severity: 'high', via }, slight: { severity: 'low', via } }))
  assert.equal(verdict, 'failed')
  assert.deepEqual(lines, ['bad (high): Prototype pollution https://github.com/advisories/x; by other'])
  assert.equal(judgeAudit(answer({ slight: { severity: 'moderate', via } })).verdict, 'passed')
  assert.equal(judgeAudit(answer({})).verdict, 'passed')
})

test('no answer is no clean bill: an error, nothing, and something else are told as not asked', () => {
  for (const text of ['', 'x', '{}', 'null', '[]', '{"vulnerabilities":{}}', '{"message":"405 Method Not Allowed"}']) {
    const { verdict, lines } = judgeAudit(text)
    assert.equal(verdict, 'not asked', text)
    assert.match(lines.join(), /does not tell/)
  }
})
