/** Fifth scene: policies. What was agreed and consented to is narrowed by the federation's own rules, which are tried on
 *  what has happened before they count. */
import { fileURLToPath } from 'node:url'
import type { PolicySetView, RelationshipView } from '@comity/node/admin/policy-api'
import { call, expectJson, expectRefusal, type Answer } from '../../stage/calls.ts'
import { comityOf } from '../../stage/participant.ts'
import { atLab, athlete, purpose, type Cast, type Scene } from '../cast.ts'
import { joinFromAbroad, readFromAbroad } from './abroad.ts'
import { replay } from './replay.ts'

/** Cedar, with tests beside it. */
export const houseRules = fileURLToPath(new URL('../../policies', import.meta.url))

const denied = { status: 403, code: 'policy-denied' }
const newService = 'crawler'

export const policy: Scene = async (cast, report) => {
  report.chapter(
    'The federation’s own rules',
    'Its policies narrow what was agreed. First they are tried on everything that has happened.',
  )
  await report.attempt('a partner from overseas', () => joinFromAbroad(cast))
  await report.attempt('a service nobody knows', () => readAsService(cast, 'nothing keeps it out yet'))
  await report.attempt('the change, replayed', () => replay(cast, houseRules))
  await report.attempt('the rules in force', () => putRules(cast))
  await report.attempt('the birth, now the year', () => readYear(cast))
  await report.attempt('from overseas', async () => expectRefusal(await readFromAbroad(cast), denied))
  await report.attempt('an unknown service', async () => expectRefusal(await callOfService(cast), denied))
  await report.attempt('the service made known', () => makeKnown(cast))
}

/** A call of the lab in which its node says which of its services it is for. */
function callOfService(cast: Cast): Promise<Answer> {
  const headers = { 'comity-purpose': purpose, 'comity-actor': `"${newService}";type=service` }
  return call(atLab(cast, `athletes/athletes/${athlete}`), { headers })
}

async function readAsService(cast: Cast, remark: string) {
  const { sport } = expectJson<{ sport: string }>(await callOfService(cast))
  return { detail: `200 ${sport}, to the lab's “${newService}”; ${remark}`, value: undefined }
}

async function putRules({ federation }: Cast) {
  const why = ['--expected', '0', '--note', 'house rules']
  const { version, policies } = await comityOf<PolicySetView>(federation, 'policy', 'put', houseRules, ...why)
  const ids = policies.map(({ id }) => id).join(', ')
  return { detail: `version ${version}, ${policies.length} policies in Cedar`, note: ids, value: undefined }
}

/** The agreement is the same as before, and so is the call. */
async function readYear(cast: Cast) {
  const answer = await call(atLab(cast, `athletes/athletes/${athlete}`), { headers: { 'comity-purpose': purpose } })
  type Born = Readonly<Record<string, unknown>> & { readonly date_of_birth: string | number }
  const { date_of_birth: born, ...others } = expectJson<Born>(answer)
  const original = expectJson<Born>(await call(`${cast.athletesUrl}/athletes/${athlete}`))
  const isYear = String(born) === String(original.date_of_birth).slice(0, 4)
  if (!isYear) throw new Error('the birth is not reduced to the year')
  const isRestWhole = Object.entries(others).every(([name, value]) => original[name] === value)
  if (!isRestWhole || Object.keys(others).length !== Object.keys(original).length - 1) {
    throw new Error('other fields changed too')
  }
  return {
    detail: `200 {…,"date_of_birth":${JSON.stringify(born)},…}; the same call got the day until now`,
    note: `@transforms("date_of_birth: year"); the other ${Object.keys(others).length} fields as they were`,
    value: undefined,
  }
}

async function makeKnown(cast: Cast) {
  const member = `Group::"known-services"#member@Service::"${cast.lab.did}/${newService}"`
  await comityOf<RelationshipView>(cast.federation, 'relationships', 'add', member)
  const { detail } = await readAsService(cast, 'one relationship, no policy touched')
  return { detail, note: member, value: undefined }
}
