/** The checks that were made of a bundle of evidence, and what no check can show. */
import { Problem } from '../problems.ts'

/** One thing that was checked; `detail` is a sentence for people. */
export interface EvidenceCheck {
  readonly name: string
  /** True when it was checked and is so. */
  readonly ok: boolean
  readonly detail: string
  /** It cannot be checked: its text was erased with the person that it was about. Neither passed nor failed. */
  readonly erased?: true
}

/** Collects the checks of one bundle. */
export class EvidenceChecks {
  readonly made: EvidenceCheck[] = []
  readonly assumptions: string[] = []

  /** Runs one check; what it returns is the sentence. A `Problem` is the check's failure, and gives undefined. */
  run<T>(name: string, check: () => readonly [sentence: string, result: T]): T | undefined {
    try {
      const [detail, result] = check()
      this.made.push({ name, ok: true, detail })
      return result
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      this.made.push({ name, ok: false, detail: error.message })
      return undefined
    }
  }

  /** Notes checks that cannot be made, since `part` was erased. */
  erase(part: string, names: readonly string[]): void {
    const detail = `${part} was erased with the person it was about`
    for (const name of names) this.made.push({ name, ok: false, detail, erased: true })
    this.assume('what was erased is known only as far as the receipt states it')
  }

  /** States what no check can show. */
  assume(sentence: string): void {
    if (!this.assumptions.includes(sentence)) this.assumptions.push(sentence)
  }
}
