/** The process of `prepare-set.ts`: one task in, one answer out, then its end, and with it the end of Cedar's memory. */
import { preparePieces, type PreparationTask } from './prepare-pieces.ts'

process.once('message', (task: PreparationTask) => {
  process.send?.(answerTo(task), () => process.disconnect())
})

function answerTo(task: PreparationTask): unknown {
  try {
    return preparePieces(task)
  } catch (error) {
    return `the policies cannot be checked: ${(error as Error).message}`
  }
}
