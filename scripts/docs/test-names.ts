/** The names of the tests in a file, as patterns: what a template literal puts in may be anything. */
import { readFileSync } from 'node:fs'

/** `test('…'`, `describe("…"`, `it(\`…${x}…\`` and their `{ … }` options; names that are variables are not found. */
const called =
  /\b(?:test|describe|it)(?:\.\w+)?\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g

export interface TestName {
  /** As it is written; `…` for what is put in. */
  readonly name: string
  matches(name: string): boolean
}

export function testNames(file: string): TestName[] {
  return testNamesIn(readFileSync(file, 'utf8'))
}

export function testNamesIn(source: string): TestName[] {
  return [...source.matchAll(called)].map(([, single, double, template]) => {
    const written = (single ?? double ?? template ?? '').replaceAll(/\\(.)/g, '$1')
    if (template === undefined) return { name: written, matches: (name) => name === written }
    const parts = written.split(/\$\{[^}]*\}/)
    const pattern = new RegExp(`^${parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`)
    return { name: parts.join('…'), matches: (name) => pattern.test(name) }
  })
}
