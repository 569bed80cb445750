/** Matching in linear time: all ways through a pattern at once (Thompson's construction), so that no text takes longer
 *  than its length times the pattern's. What the sets of characters mean is asked of the usual engine, a character at a
 *  time. */
import type { AST } from '@eslint-community/regexpp'

/** A pattern that looks around or back, or is too large: nothing that can be matched so. */
export class IrregularPattern extends Error {}

/** More states than this are not made of a pattern. */
const maxStates = 2_000

type State =
  | { readonly kind: 'character'; readonly fits: (codePoint: number) => boolean; next: number }
  | { readonly kind: 'assertion'; readonly holds: (place: Place) => boolean; next: number }
  | { readonly kind: 'split'; readonly ways: number[] }
  | { readonly kind: 'match' }

/** Between two characters; -1 stands for none. */
interface Place {
  readonly before: number
  readonly after: number
}

/** Tells whether a text has a match. Throws `IrregularPattern`. */
export function compileLinear(pattern: AST.Pattern, flags: string): (text: string) => boolean {
  const states: State[] = [{ kind: 'match' }]
  const builder = { states, flags }
  const start = alternatives(builder, pattern.alternatives, 0)
  return (text) => new Run(states, start).test(text)
}

interface Builder {
  readonly states: State[]
  readonly flags: string
}

function add({ states }: Builder, state: State): number {
  if (states.length >= maxStates) throw new IrregularPattern('is too large')
  return states.push(state) - 1
}

function alternatives(builder: Builder, all: readonly AST.Alternative[], next: number): number {
  const ways = all.map(({ elements }) => sequence(builder, elements, next))
  return ways.length === 1 ? (ways[0] as number) : add(builder, { kind: 'split', ways })
}

function sequence(builder: Builder, elements: readonly AST.Element[], next: number): number {
  return elements.reduceRight((after, element) => elementState(builder, element, after), next)
}

function elementState(builder: Builder, element: AST.Element, next: number): number {
  switch (element.type) {
    case 'Character':
      return add(builder, { kind: 'character', fits: oneCharacter(element, builder.flags), next })
    case 'CharacterClass':
    case 'CharacterSet':
    case 'ExpressionCharacterClass':
      return add(builder, { kind: 'character', fits: characterTest(element.raw, builder.flags), next })
    case 'Group':
      if (element.modifiers !== null) throw new IrregularPattern('changes its flags')
      return alternatives(builder, element.alternatives, next)
    case 'CapturingGroup':
      return alternatives(builder, element.alternatives, next)
    case 'Quantifier':
      return repeated(builder, element, next)
    case 'Assertion':
      return add(builder, { kind: 'assertion', holds: assertion(element), next })
    default:
      throw new IrregularPattern('refers to what was matched before')
  }
}

function repeated(builder: Builder, { element, min, max }: AST.Quantifier, next: number): number {
  let after = next
  if (max === Infinity) {
    const loop: number[] = []
    const again = add(builder, { kind: 'split', ways: loop })
    loop.push(elementState(builder, element, again), next)
    after = again
  } else {
    for (let index = min; index < max; index++) {
      after = add(builder, { kind: 'split', ways: [elementState(builder, element, after), next] })
    }
  }
  for (let index = 0; index < min; index++) after = elementState(builder, element, after)
  return after
}

const none = -1
const isWord = (codePoint: number) => codePoint !== none && /^\w$/.test(String.fromCodePoint(codePoint))

function assertion(element: AST.Assertion): (place: Place) => boolean {
  switch (element.kind) {
    case 'start':
      return ({ before }) => before === none
    case 'end':
      return ({ after }) => after === none
    case 'word':
      return ({ before, after }) => (isWord(before) !== isWord(after)) !== element.negate
    default:
      throw new IrregularPattern('looks around')
  }
}

function oneCharacter({ value, raw }: AST.Character, flags: string): (codePoint: number) => boolean {
  return flags.includes('i') ? characterTest(raw, flags) : (codePoint) => codePoint === value
}

/** Remembers what the engine says of the first characters, which most texts are made of. */
function characterTest(source: string, flags: string): (codePoint: number) => boolean {
  const expression = new RegExp(`^(?:${source})$`, flags)
  const known = new Int8Array(256)
  return (codePoint) => {
    const answer = codePoint < 256 ? (known[codePoint] as number) : 0
    if (answer !== 0) return answer > 0
    const fits = expression.test(String.fromCodePoint(codePoint))
    if (codePoint < 256) known[codePoint] = fits ? 1 : -1
    return fits
  }
}

/** One text. */
class Run {
  readonly #states: readonly State[]
  readonly #start: number
  /** By state: the place at which it was last entered. */
  readonly #entered: Int32Array
  #isMatched = false

  constructor(states: readonly State[], start: number) {
    this.#states = states
    this.#start = start
    this.#entered = new Int32Array(states.length).fill(none)
  }

  test(text: string): boolean {
    let active: number[] = []
    let before = none
    let index = 0
    for (const character of text) {
      const after = character.codePointAt(0) as number
      active = this.#withEmpty([...active, this.#start], { before, after }, index)
      if (this.#isMatched) return true
      active = this.#step(active, after)
      before = after
      index++
    }
    this.#withEmpty([...active, this.#start], { before, after: none }, index)
    return this.#isMatched
  }

  /** The states that wait for a character, with all that is reached without one. */
  #withEmpty(entered: number[], place: Place, index: number): number[] {
    const waiting: number[] = []
    const pending = entered
    while (pending.length > 0) {
      const at = pending.pop() as number
      if (this.#entered[at] === index) continue
      this.#entered[at] = index
      const state = this.#states[at] as State
      if (state.kind === 'character') waiting.push(at)
      else if (state.kind === 'split') pending.push(...state.ways)
      else if (state.kind === 'match') this.#isMatched = true
      else if (state.holds(place)) pending.push(state.next)
    }
    return waiting
  }

  #step(waiting: readonly number[], codePoint: number): number[] {
    const next: number[] = []
    for (const at of waiting) {
      const state = this.#states[at] as State
      if (state.kind === 'character' && state.fits(codePoint)) next.push(state.next)
    }
    return next
  }
}
