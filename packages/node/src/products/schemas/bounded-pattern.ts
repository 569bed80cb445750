/** The regular expressions of schemas, whose texts come from strangers: none can be made to take long. A text for which
 *  the usual engine needs few steps at worst is matched by it; any other in linear time; and one whose pattern looks
 *  around or back, for which there is no such way, under a time limit. */
import { createRequire } from 'node:module'
import { createContext, Script } from 'node:vm'
import type * as RegExpParserModule from '@eslint-community/regexpp'
import { compileLinear, IrregularPattern } from './linear-pattern.ts'
import { patternCost, stepsAtWorst } from './pattern-cost.ts'

const require = createRequire(import.meta.url)

/** Longest string that a `pattern` or a format is tried on, in UTF-16 units; a longer one does not match. */
export const maxPatternInput = 4_096

/** Steps of the usual engine that are few: some microseconds. */
const fewSteps = 4_000
/** Of the processor, for a text and a pattern without a linear way; one that takes longer does not match. */
const timeoutMs = 20

/** A pattern that may be asked about any text. */
export interface BoundedPattern {
  test(text: string): boolean
}

/** Compiles a pattern. Throws `SyntaxError` for one that is none. */
export function compilePattern(pattern: string, flags: string): BoundedPattern {
  const expression = new RegExp(pattern, flags)
  const { RegExpParser } = require('@eslint-community/regexpp') as typeof RegExpParserModule
  const ast = new RegExpParser().parsePattern(pattern, 0, pattern.length, {
    unicode: flags.includes('u'),
    unicodeSets: flags.includes('v'),
  })
  const cost = patternCost(ast)
  let careful: ((text: string) => boolean) | undefined
  return {
    test(text) {
      if (text.length > maxPatternInput) return false
      if (stepsAtWorst(cost, text.length) <= fewSteps) return expression.test(text)
      careful ??= carefulTest(expression, () => compileLinear(ast, flags))
      return careful(text)
    },
  }
}

function carefulTest(expression: RegExp, linear: () => (text: string) => boolean): (text: string) => boolean {
  try {
    return linear()
  } catch (error) {
    if (!(error instanceof IrregularPattern)) throw error
    return timedTest(expression)
  }
}

function timedTest(expression: RegExp): (text: string) => boolean {
  const script = new Script('expression.test(text)')
  const world = { expression, text: '' }
  const context = createContext(world)
  const isTimeUp = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  return (text) => {
    const before = process.threadCpuUsage()
    world.text = text
    try {
      for (;;) {
        try {
          return script.runInContext(context, { timeout: timeoutMs }) === true
        } catch (error) {
          if (!isTimeUp(error)) throw error
          // The limit is of the clock: on a busy machine it passes while another process has the processor.
          const { user, system } = process.threadCpuUsage(before)
          if (user + system >= timeoutMs * 1_000) return false
        }
      }
    } finally {
      world.text = ''
    }
  }
}
