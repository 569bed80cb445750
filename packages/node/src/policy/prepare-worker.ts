/** The thread of `prepare-set.ts`: one task in, one answer out, then its end, and with it the end of Cedar's memory. */
import { parentPort, workerData } from 'node:worker_threads'
import { preparePieces, type PreparationTask } from './prepare-pieces.ts'

const answer = preparePieces(workerData as PreparationTask)
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
parentPort?.postMessage(answer)
