/** The part of the tree that is about consents: `comity consents`, `comity templates`, `comity subjects`. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { moment } from './moment.ts'
import type { CommandContext } from './command-context.ts'

/** Gives the surroundings of a run when its action begins. */
export type ContextOf = () => CommandContext

const consentStates = [
  'requested',
  'deferred',
  'refused',
  'active',
  'paused',
  'expired',
  'withdrawn',
  'revoked',
  'superseded',
]
const load = () => import('./commands/consents.ts')

/** A grant, whole or in part: `g1`, `g1=height,birthYear`. */
export interface GrantChoice {
  readonly id: string
  readonly fields?: readonly string[]
}

/** Collects `--grant` given several times. */
function grantChoice(text: string, earlier: readonly GrantChoice[] = []): readonly GrantChoice[] {
  const [, id, list] = /^([A-Za-z0-9._-]{1,64})(?:=(.+))?$/.exec(text) ?? []
  if (id === undefined) throw new InvalidArgumentError('must be like g1, or g1=height,birthYear for some of its fields')
  return [...earlier, { id, ...(list === undefined ? {} : { fields: list.split(',') }) }]
}

function count(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1_000) return Number(text)
  throw new InvalidArgumentError('must be a whole number from 1 to 1000')
}

const stateOption = () => new Option('--state <state>', 'only those in this state').choices(consentStates)

export function addConsents(program: Command, context: ContextOf): void {
  const consents = program
    .command('consents')
    .description('what people consented to, as the holder and as the recipient')
  addKept(consents, context)
  addDecide(consents, context)
  addChanges(consents, context)
  addHeld(consents, context)
  addDelegations(consents, context)
}

function addKept(consents: Command, context: ContextOf): void {
  consents
    .command('list')
    .description('the consents that this node keeps as the holder')
    .addOption(stateOption())
    .option('--recipient <alias-or-did>', 'only those of this recipient')
    .option('--reference <reference>', 'only those of this person')
    .option('--limit <count>', 'how many', count, 50)
    .action(async (options: object) => (await load()).listConsents(context(), options as never))
  consents
    .command('show <id>')
    .description('one consent: what was asked, granted and done, as JSON')
    .action(async (id: string) => (await load()).showConsent(context(), id))
  consents
    .command('uses <id>')
    .description('every answer that left under a consent, newest first')
    .option('--limit <count>', 'how many', count, 50)
    .action(async (id: string, options: object) => (await load()).listUses(context(), id, options as never))
  consents
    .command('export <id>')
    .description('the record of a consent, for people and programs elsewhere')
    .addOption(
      new Option('--as <format>', 'ISO/IEC TS 27560 receipt, FHIR Consent, ODRL policy, or the records themselves')
        .choices(['27560', 'fhir', 'odrl', 'json'])
        .default('json'),
    )
    .option('-o, --out <file>', 'where to write it; standard output unless given')
    .action(async (id: string, options: object) => (await load()).exportConsent(context(), id, options as never))
}

function addDecide(consents: Command, context: ContextOf): void {
  consents
    .command('decide <id>')
    .description('enter what a person decided in your own portal, where they are signed in')
    .option('--grant <grant[=field,…]>', 'granted, whole or only these fields; may be repeated', grantChoice)
    .option('--refuse', 'the person says no', false)
    .option('--defer', 'the person decides later', false)
    .requiredOption('--channel <text>', 'where the person decided, e.g. the address of the portal')
    .requiredOption('--lang <tag>', 'language of the notice that the person saw')
    .option('--presented <time>', 'when they saw it; now unless given', moment)
    .option('--expires <time>', 'end, not later than asked', moment)
    .option('--acr <text>', 'how the person was signed in (OpenID Connect `acr`)')
    .option('--amr <text...>', 'by what means (OpenID Connect `amr`)')
    .option('--auth-time <time>', 'when', moment)
    .option('--grantor <id>', 'who decides for the person')
    .addOption(new Option('--capacity <capacity>', 'as what').choices(['guardian', 'attorney', 'officer']))
    .action(async (id: string, options: object) => (await load()).decide(context(), id, options as never))
}

function addChanges(consents: Command, context: ContextOf): void {
  const changes = [
    ['pause', 'stop a consent for a while: the very next call is refused', ['holder', 'subject', 'grantor']],
    ['resume', 'let a paused consent go on', ['holder', 'subject', 'grantor']],
    [
      'withdraw',
      'end a consent for the person: the very next call is refused, everyone is told',
      ['subject', 'grantor'],
    ],
    ['revoke', 'end a consent as the holder: the very next call is refused, everyone is told', ['holder']],
  ] as const
  for (const [name, description, by] of changes) {
    consents
      .command(`${name} <id>`)
      .description(description)
      .addOption(new Option('--by <who>', 'on whose word').choices(by).default(by[0]))
      .option('--reason <text>', 'why; the parties read it')
      .action(async (id: string, options: object) =>
        (await load()).changeConsent(context(), id, { name, ...options } as never),
      )
  }
}

function addHeld(consents: Command, context: ContextOf): void {
  consents
    .command('request')
    .description('ask a person for consent, through the holder')
    .requiredOption('--partner <alias-or-did>', 'the holder')
    .requiredOption('--reference <reference>', 'the person as the holder knows them')
    .option('--label <text>', 'the person as you know them, to find the consent again')
    .option('--template <id[@version]>', 'what is asked for: a template that you signed; the newest unless told')
    .option('--file <file>', 'what is asked for: grants, notice and duration as YAML or JSON')
    .option('--for <duration>', 'how long, ISO 8601 (P30D); that of the template unless given')
    .addOption(
      new Option('--type <type>', 'whom it is about').choices(['person', 'child', 'org', 'device']).default('person'),
    )
    .addOption(
      new Option('--capacity <capacity>', 'who is to decide').choices(['self', 'guardian', 'attorney', 'officer']),
    )
    .action(async (options: object) => (await load()).requestConsent(context(), options as never))
  consents
    .command('held [id]')
    .description('the consents that this node was given or has asked for; one of them as JSON')
    .addOption(stateOption())
    .option('--holder <alias-or-did>', 'only those of this holder')
    .option('--label <text>', 'only those of the person you know by this name')
    .option('--limit <count>', 'how many', count, 50)
    .option('--refresh', 'ask the holder first, for one', false)
    .action(async (id: string | undefined, options: object) => (await load()).showHeld(context(), id, options as never))
  consents
    .command('token <id>')
    .description('what the present token of a held consent allows')
    .option('--raw', 'print the token itself, which is worth minutes and only with your key', false)
    .action(async (id: string, options: { raw: boolean }) => (await load()).showToken(context(), id, options))
  consents
    .command('give-up <id>')
    .description('end a held consent that is not needed any more')
    .option('--reason <text>', 'why; the holder and the person read it')
    .action(async (id: string, options: object) => (await load()).giveUp(context(), id, options as never))
}

function addDelegations(consents: Command, context: ContextOf): void {
  consents
    .command('delegate <id>')
    .description('pass a part of a held consent on to a processor')
    .requiredOption('--to <alias-or-did>', 'the processor, one of your partners')
    .requiredOption('--grant <grant[=field,…]>', 'what, whole or only these fields; may be repeated', grantChoice)
    .requiredOption('--until <time>', 'how long, ISO 8601; not beyond the end of the consent', moment)
    .option('--depth <count>', 'the processor may pass it on, so deep at most', count)
    .action(async (id: string, options: object) => (await load()).delegate(context(), id, options as never))
  consents
    .command('delegations')
    .description('what was passed on, newest first; of what ended, why')
    .action(async () => (await load()).listDelegations(context()))
  consents
    .command('end-delegation <id>')
    .description('pass no more on: the delegate gets no further token, it and the holder are told')
    .action(async (id: string) => (await load()).endDelegation(context(), id))
}

export function addTemplates(program: Command, context: ContextOf): void {
  const loadTemplates = () => import('./commands/templates.ts')
  const templates = program.command('templates').description('the templates that you ask for consent with')
  templates
    .command('list')
    .description('the signed templates, newest first')
    .action(async () => (await loadTemplates()).listTemplates(context()))
  templates
    .command('sign <file>')
    .description('sign a template in a YAML or JSON file; a version means one content for ever')
    .option('-o, --out <file>', 'where to write the signed template (JWS) too')
    .action(async (file: string, options: object) =>
      (await loadTemplates()).signTemplate(context(), file, options as never),
    )
}

export function addSubjects(program: Command, context: ContextOf): void {
  const loadSubjects = () => import('./commands/subjects.ts')
  const subjects = program.command('subjects').description('the people whom the data are about')
  subjects
    .command('link <reference>')
    .description('a one-time link to all consents of a person, to be sent through your own channel')
    .action(async (reference: string) => (await loadSubjects()).linkSubject(context(), reference))
  subjects
    .command('erase <reference>')
    .description('end all consents of a person and destroy the key of everything that is kept about them')
    .option('--yes', 'do it; nothing brings it back', false)
    .action(async (reference: string, options: { yes: boolean }) =>
      (await loadSubjects()).eraseSubject(context(), reference, options),
    )
  subjects
    .command('reset <reference>')
    .description('end the sessions of a person and their links to all consents, and forget their passkeys')
    .action(async (reference: string) => (await loadSubjects()).resetSubject(context(), reference))
  subjects
    .command('readmit <reference>')
    .description('let a person who was erased be asked again, when they come back and say so')
    .action(async (reference: string) => (await loadSubjects()).readmitSubject(context(), reference))
}
