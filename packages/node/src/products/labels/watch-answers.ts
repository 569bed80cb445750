/** The watch over a product's answers, for fields that no label covers. */
import type { Clock } from '@comity/core/ports'
import { declaredNames } from '../operations/declared-names.ts'
import type { ProductParts } from '../product.ts'
import type { DataPlan } from './data-plan.ts'
import { watchUnlabelled } from './unlabelled-watch.ts'

/** What looks at the answers of each operation; undefined where nobody is to be told. */
export function watchAnswers({ settings, document, onUnlabelled }: ProductParts, plan: DataPlan, clock: Clock) {
  if (onUnlabelled === undefined) return undefined
  const { withheld = [] } = settings.personal ?? settings.data ?? {}
  return watchUnlabelled({
    product: settings.id,
    plan,
    withheld,
    declared: () => declaredNames(document.root),
    clock,
    report: onUnlabelled,
  })
}
