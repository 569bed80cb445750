/** What is left running, and how to call it. */
import { relative } from 'node:path'
import type { SubjectLinkView } from '@comity/node/admin/consent-api'
import colors from 'picocolors'
import { comityOf, type Participant } from '../stage/participant.ts'
import type { Report } from '../stage/report.ts'
import { idInForce } from './agreement.ts'
import { askFor, decideOnPage, invitationOf } from './consent/asked.ts'
import { athlete, atFederation, atLab, otherAthlete, purpose, type Cast } from './cast.ts'
import { houseRules } from './policy/policy.ts'

/** A consent to call under, and pages to open. */
interface Prepared {
  readonly consent: string
  /** One-time links: to what one athlete allowed, and to a decision that another has not made yet. */
  readonly overview: string
  readonly decision: string
}

/** Tells where everything listens, and commands that work as they stand. */
export async function tellAddresses(cast: Cast, report: Report): Promise<void> {
  const { federation, lab } = cast
  report.chapter('Yours to try', 'All participants keep running.')
  const prepared = await report.step('two more athletes asked', () => prepare(cast))
  await report.attempt('left running', async () => ({
    detail: `federation ${federation.url}, lab ${lab.url}, its applications ${lab.localUrl}, pages ${cast.pagesUrl}`,
    note: `all files in ${cast.root}`,
    value: undefined,
  }))
  const agreement = await idInForce(cast)
  const all = [...examples(cast, agreement), ...policyExamples(cast), ...consentExamples(cast, prepared)]
  for (const [sentence, ...commands] of all) {
    report.say('', sentence, ...commands.map((each) => `  ${colors.cyan(each)}`))
  }
}

/** One athlete grants what the first one granted; whom the lab asks again has not decided. */
async function prepare(cast: Cast) {
  const consent = await askFor(cast, otherAthlete)
  await decideOnPage(cast, (await invitationOf(cast, consent)).link)
  const { link: decision } = await invitationOf(cast, await askFor(cast, athlete))
  const reference = String(otherAthlete)
  const { url: overview } = await comityOf<SubjectLinkView>(cast.federation, 'subjects', 'link', reference)
  const value: Prepared = { consent, overview, decision }
  return { detail: `${otherAthlete} has granted, ${athlete} has not decided again`, value }
}

type Example = readonly [sentence: string, ...commands: string[]]

function examples(cast: Cast, agreement: string): Example[] {
  const { federation, lab } = cast
  // curl pins the key itself: base64 instead of base64url, and no authority asked.
  const pin = Buffer.from(federation.fingerprint.slice('sha256:'.length), 'base64url').toString('base64')
  const curl = `curl -sk --pinnedpubkey 'sha256//${pin}'`
  return [
    [
      'An application of the lab reads an athlete:',
      `curl -si -H 'Comity-Purpose: ${purpose}' ${atLab(cast, `athletes/athletes/${athlete}`)}`,
    ],
    ['Anyone reads the public product:', `${curl} '${atFederation(cast, 'electricity/generation?year=2017')}'`],
    ["Anyone watches the federation's log:", `${curl} ${federation.url}/log/checkpoint`],
    ['The lab looks at its log and its receipts:', command(lab, 'log show'), command(lab, 'receipts list')],
    [
      'The federation ends the agreement; then the first call is refused:',
      command(federation, `agreements terminate ${agreement} --reason over`),
    ],
  ]
}

function policyExamples(cast: Cast): Example[] {
  const headers = `-H 'Comity-Purpose: ${purpose}' -H 'Comity-Actor: "another";type=service'`
  return [
    [
      'The federation’s policies keep a service out that it does not know:',
      `curl -si ${headers} ${atLab(cast, `athletes/athletes/${athlete}`)}`,
    ],
    [
      'Change a rule there, and see what it would have decided otherwise:',
      command(cast.federation, `policy diff ${shellPath(houseRules)}`),
    ],
  ]
}

function consentExamples(cast: Cast, { consent, overview, decision }: Prepared): Example[] {
  const headers = `-H 'Comity-Purpose: ${purpose}' -H 'Comity-Consent: ${consent}'`
  return [
    [
      `It reads what athlete ${otherAthlete} released (while the agreement stands):`,
      `curl -si ${headers} ${atLab(cast, `profiles/athletes/${otherAthlete}`)}`,
    ],
    [
      'That and a list of athletes in one call, with one receipt:',
      `curl -s -H 'Content-Type: application/json' -d '${twoParts(consent)}' ${cast.lab.localUrl}/~composite`,
    ],
    ['What this athlete sees, for your browser, once. Withdraw there, and the call is refused:', overview],
    [`What athlete ${athlete} is asked, for your browser. Decide as you like:`, decision],
    ['What became of that at the lab:', command(cast.lab, 'consents held')],
  ]
}

function twoParts(consent: string): string {
  const common = { partner: 'federation', purpose }
  const own = { ...common, product: 'profiles', path: `/athletes/${otherAthlete}`, consent }
  return JSON.stringify({
    parts: { own, team: { ...common, product: 'athletes', path: '/athletes', query: '_limit=2' } },
  })
}

function command(participant: Participant, rest: string): string {
  return `npm run -s comity -- -c ${shellPath(participant.configFile)} ${rest}`
}

function shellPath(path: string): string {
  const short = relative(process.cwd(), path)
  const chosen = short.startsWith('..') ? path : short
  return /^[\w./-]+$/.test(chosen) ? chosen : `'${chosen.replaceAll("'", `'\\''`)}'`
}
