/** The firm as a partner of its own: it works in another country than was agreed for athletes. */
import { join } from 'node:path'
import { call, expectJson, type Answer } from '../../stage/calls.ts'
import { agreeOn } from '../agreement.ts'
import { otherAthlete, purpose, throughNodeOf, type Cast } from '../cast.ts'

/** An agreement alone lets the firm read. */
export async function joinFromAbroad(cast: Cast) {
  const { federation: holder, statistics: partner, root } = cast
  await agreeOn({ holder, partner, products: ['athletes'], file: join(root, 'agreement-statistics.json') })
  const { date_of_birth: born } = expectJson<{ date_of_birth: string }>(await readFromAbroad(cast))
  if (!/^\d{4}-\d\d-\d\d$/.test(born)) throw new Error('the day of birth is not told')
  return {
    detail: `200, statistics (${partner.country}) has an agreement and reads the day of birth`,
    value: undefined,
  }
}

export function readFromAbroad({ statistics }: Cast): Promise<Answer> {
  const url = throughNodeOf(statistics, `athletes/athletes/${otherAthlete}`)
  return call(url, { headers: { 'comity-purpose': purpose } })
}
