/** Fourth scene: consent. The lab asks for four fields of one athlete, who decides, is read about, and withdraws. */
import { asking } from './asking.ts'
import { reading } from './reading.ts'
import { emptyThread } from './thread.ts'
import { knowing } from './uses.ts'
import { withdrawing } from './withdrawal.ts'
import type { Scene } from '../cast.ts'

export const consent: Scene = async (cast, report) => {
  const thread = emptyThread()
  for (const chapter of [asking, reading, withdrawing, knowing]) await chapter({ cast, report, thread })
}
