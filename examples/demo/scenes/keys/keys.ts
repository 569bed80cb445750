/** Seventh scene: API keys that change and leak, and callers that are too fast. */
import { burst } from './burst.ts'
import { leak } from './leak.ts'
import { rotation } from './rotation.ts'
import type { Scene } from '../cast.ts'

export const keys: Scene = async (cast, report) => {
  report.chapter(
    'Keys and limits',
    'A key changes under load, and no call fails; one that leaked is found and ended; a burst is slowed.',
  )
  await rotation(cast, report)
  await leak(cast, report)
  await burst(cast, report)
}
