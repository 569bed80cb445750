/** `comity policy put`, `show`, `versions`, `reload`, `explain` and `diff`: the policies of the running node. */
import type {
  CompositeExplanationView,
  DecidedView,
  DemandView,
  MaskView,
  NoPoliciesView,
  PolicyDiffView,
  PolicyExplanationView,
  PolicyFaultView,
  PolicyFindingView,
  PolicyOutcome,
  PolicySetView,
  PolicyVersionView,
} from '@comity/node/admin/policy-api'
import { colors } from '../colors.ts'
import { connect, show, type CommandContext } from '../command-context.ts'
import { withoutAlike } from '@comity/node/policy/sets/like-faults'
import { textOfValue } from '@comity/node/policy/decisions/est-text'
import { printable, table } from '../output.ts'
import { faultLine, readTexts } from './policy-texts.ts'

const path = '/v1/policies'

export interface PutArguments {
  readonly expected?: number
  readonly note?: string
}

export async function putPolicies(context: CommandContext, place: string, options: PutArguments): Promise<void> {
  const set = await (await connect(context)).post<PolicySetView>(path, { texts: await readTexts(place), ...options })
  show(context, set, () => [`version ${set.version} is in force: ${countOf(set)}`, ...warningLines(set.warnings)])
}

const countOf = ({ policies }: PolicySetView): string =>
  `${policies.length} ${policies.length === 1 ? 'policy' : 'policies'}`

const warningLines = (warnings: readonly PolicyFaultView[]): string[] =>
  withoutAlike(warnings).map((warning) => printable(faultLine(warning, 'warning')))

export async function reloadPolicies(context: CommandContext): Promise<void> {
  const set = await (await connect(context)).post<PolicySetView | NoPoliciesView>(`${path}/reload`, {})
  show(context, set, () =>
    'policies' in set
      ? [`version ${set.version} is in force: ${countOf(set)}`, ...warningLines(set.warnings)]
      : ['no policies are in force'],
  )
}

export async function showPolicies(context: CommandContext, version: number | undefined): Promise<void> {
  const client = await connect(context)
  const at = version === undefined ? path : `${path}/versions/${version}`
  const set = await client.get<PolicySetView | NoPoliciesView>(at)
  show(context, set, () => {
    if (!('policies' in set)) return ['no policies are in force: agreement and consent decide alone']
    const head = `version ${set.version} of ${set.since}, from ${set.source === 'admin' ? 'the admin API' : 'files'}`
    const note = set.note === undefined ? [] : [printable(set.note)]
    const texts = set.policies.flatMap(({ id, text }) => [
      '',
      ...sourceLine(id, set),
      ...text.trimEnd().split('\n').map(printableLine),
    ])
    return [head, ...note, ...texts, ...warningLines(set.warnings)]
  })
}

/** The text that the policy was in, as a comment of Cedar. */
function sourceLine(id: string, { texts }: PolicySetView): string[] {
  const found = texts.find(({ text }) => text.includes(`@id(${JSON.stringify(id)})`))
  return found === undefined ? [] : [printable(`// ${found.source}`)]
}

/** Keeps the indent. */
const printableLine = (line: string): string => `${/^ */.exec(line)?.[0] ?? ''}${printable(line.trimStart())}`

export async function listVersions(context: CommandContext, limit: number): Promise<void> {
  const versions = await (await connect(context)).get<PolicyVersionView[]>(`${path}/versions?limit=${limit}`)
  const rows = versions.map(({ version, since, source, hash, note }) => [
    String(version),
    since,
    source,
    hash.slice(0, 12),
    note ?? '',
  ])
  show(context, versions, () => table([['version', 'since', 'from', 'hash', 'note'], ...rows]))
}

/** Policies that missed the call by more than these are about something else. */
const maxShown = 10

export async function explainDecision(context: CommandContext, exchange: string): Promise<void> {
  const explained = await (
    await connect(context)
  ).get<PolicyExplanationView | CompositeExplanationView>(`${path}/decisions/${encodeURIComponent(exchange)}`)
  show(context, explained, () => ('parts' in explained ? partsLines(explained) : explanationLines(explained)))
}

function partsLines({ exchange, parts, erased }: CompositeExplanationView): string[] {
  return [
    `${exchange} was decided part by part:`,
    ...parts.flatMap((part) => ['', ...explanationLines(part)]),
    ...erased.flatMap((part) => ['', `${part} cannot be read since the person was erased`]),
  ]
}

function explanationLines({ request, findings, needed, ...explained }: PolicyExplanationView): string[] {
  const { exchange, at, version, outcome, policies, mask } = explained
  const by = policies.length === 0 ? 'no policy matched' : `by ${policies.join(', ')}`
  const context = Object.entries(request.context).map(([name, value]) => `  ${name}: ${textOfValue(value)}`)
  const others = findings.filter(({ policy }) => !policies.includes(policy))
  const told = [
    ...(mask === undefined ? [] : [`${leftWord(outcome)} ${maskText(mask)} of what was asked for`]),
    `${request.principal} ${request.action} ${request.resource}`.replaceAll('Comity::', ''),
    ...context,
    ...(needed.length === 0 ? [] : ['', 'to be allowed:', ...needed.map((sentence) => `  → ${sentence}`)]),
    ...findings.filter(({ policy }) => policies.includes(policy)).flatMap(findingLines),
    ...others.slice(0, maxShown).flatMap(findingLines),
    ...(others.length > maxShown ? [`and ${others.length - maxShown} policies that match less`] : []),
  ]
  const decided = `${printable(exchange)} of ${printable(at)}: ${colors.bold(outcome)}`
  return [`${decided} by version ${version}, ${printable(by)}`, ...told.map(printableLine)]
}

function findingLines({ policy, effect, matches, scope, conditions }: PolicyFindingView): string[] {
  const verdict = matches ? (effect === 'permit' ? 'permits' : 'forbids') : `does not ${effect}`
  return ['', `${policy} ${verdict}`, ...[...scope, ...conditions].map(demandLine)]
}

function demandLine({ text, holds, error }: DemandView): string {
  const sign = holds ? '✓' : error === undefined ? '✗' : '!'
  return `  ${sign} ${text.replaceAll('Comity::', '')}${error === undefined ? '' : ` (${error})`}`
}

/** What is permitted is denied all the same when the masks of what permits it leave nothing. */
const leftWord = (outcome: PolicyOutcome): string =>
  outcome === 'denied' ? 'permitted, but the policies leave' : 'left'

function maskText(mask: MaskView): string {
  const fields = Object.entries(mask).map(([field, done]) =>
    done.length === 0 ? field : `${field} (${done.join(', ')})`,
  )
  return fields.length === 0 ? 'nothing' : fields.join(', ')
}

export async function diffPolicies(context: CommandContext, place: string, last: number): Promise<void> {
  const body = { texts: await readTexts(place), last }
  const diff = await (await connect(context)).post<PolicyDiffView>(`${path}/diff`, body)
  show(context, diff, () => diffLines(diff))
  if (diff.changedInAll > 0) context.fail()
}

const changeWords = {
  'allowed-denied': 'allowed → denied',
  'denied-allowed': 'denied → allowed',
  mask: 'other fields',
  failed: 'would fail',
} as const

function diffLines({ compared, unreadable, changed, changedInAll, warnings }: PolicyDiffView): string[] {
  const erased = unreadable === 0 ? '' : `, ${unreadable} cannot be read since the person was erased`
  const rows = changed.flatMap(({ exchange, caller = 'anonymous', product, operation, change, before, after }) => [
    `${exchange}  ${colors.bold(changeWords[change])}  ${printable(`${product}/${operation} by ${caller}`)}`,
    `  was ${decidedText(before)}`,
    `  now ${decidedText(after)}`,
  ])
  return [
    ...rows,
    ...(changedInAll > changed.length ? [`and ${changedInAll - changed.length} more`] : []),
    `${changedInAll} of ${compared} decisions would be others${erased}`,
    ...warningLines(warnings),
  ]
}

function decidedText({ outcome, policies, mask }: DecidedView): string {
  // Allowed by none: no set was in force.
  const byNone = { allowed: ' without policies', denied: ', none permits it', failed: '' }[outcome]
  const by = policies.length === 0 ? byNone : ` by ${policies.join(', ')}`
  const left = outcome === 'denied' ? ', which leaves ' : ': '
  return printable(`${outcome}${by}${mask === undefined ? '' : `${left}${maskText(mask)}`}`)
}
