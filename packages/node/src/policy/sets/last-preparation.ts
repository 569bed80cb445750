/** The last good preparation: what was just checked or compared is put into force without being checked anew. */
import type { PolicyText, Preparation } from './prepare-set.ts'

type Prepare = (texts: readonly PolicyText[]) => Promise<Preparation>

/** `prepare` that remembers one good set, by its key. What is wrong is looked at anew each time. */
export function rememberingLast(prepare: Prepare, keyOf: (texts: readonly PolicyText[]) => string): Prepare {
  let last: { readonly key: string; readonly preparation: Preparation } | undefined
  return async (texts) => {
    const key = keyOf(texts)
    if (last?.key === key) return last.preparation
    const preparation = await prepare(texts)
    if (preparation.ok) last = { key, preparation }
    return preparation
  }
}
