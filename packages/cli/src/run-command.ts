/** The tree of commands. Each action is imported only when it runs, so that every command starts fast. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { addApiKeys, addClients } from './api-key-commands.ts'
import type { CommandContext, FailureCode } from './command-context.ts'
import { addConsents, addSubjects, addTemplates } from './consent-commands.ts'
import { errorDocument, errorLines, processTerminal, type Terminal } from './output.ts'
import { addPolicy } from './policy-commands.ts'
import { addRelationships } from './policy-node-commands.ts'
import { addProducts } from './product-commands.ts'
import { addReplicas } from './replica-commands.ts'
import { addDuties, addRights } from './rights-commands.ts'
import { addScan } from './scan-commands.ts'
import { addQuotas, addUsage } from './usage-commands.ts'
import { addVerify } from './verify-commands.ts'
import { addWebhooks } from './webhook-commands.ts'

/** Exit codes: 0 done, 1 refused or failed, 2 the arguments are wrong, 3 nothing bad but not all was looked at. */
export async function runCommand(args: readonly string[], terminal: Terminal = processTerminal): Promise<number> {
  const run: Run = { terminal, exitCode: 0 }
  const program = buildProgram(run)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return run.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (program.opts<{ json: boolean }>().json) terminal.error(JSON.stringify(errorDocument(error)))
    else for (const line of errorLines(error)) terminal.error(line)
    return run.exitCode === 0 ? 1 : run.exitCode
  }
}

/** One run of the command. */
interface Run {
  readonly terminal: Terminal
  exitCode: 0 | FailureCode
}

/** A whole number within bounds, or an explained refusal. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}`)
  }
}

/** A span of time such as `90s`, `15m`, `6h`, `30d`, in milliseconds. */
export function duration(text: string): number {
  const [, count, unit] = /^(\d{1,6})(s|m|h|d)$/.exec(text) ?? []
  if (count === undefined || unit === undefined) throw new InvalidArgumentError('must be like 90s, 15m, 6h or 30d')
  return Number(count) * { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 's' | 'm' | 'h' | 'd']
}

/** The whole tree, without running anything. */
export function buildProgram(run: Run = { terminal: processTerminal, exitCode: 0 }): Command {
  const program = new Command('comity')
    .version(version(), '--version')
    .description(
      'A node that shares data with other organisations directly, under signed agreements, with proof on both sides.',
    )
    .option('-c, --config <file>', 'the configuration', 'comity.yaml')
    .option('--json', 'print one JSON value instead of text', false)
    .configureOutput({
      writeOut: (text) => run.terminal.out(text.trimEnd()),
      writeErr: (text) => run.terminal.error(text.trimEnd()),
    })
    .showHelpAfterError('(comity --help tells more)')
    .showSuggestionAfterError()
    .exitOverride()
  addNode(program, run)
  addProducts(program, () => contextOf(program, run))
  for (const add of [addKeys, addPartners, addAgreements, addEvidence]) add(program, run)
  for (const add of [
    addVerify,
    addConsents,
    addTemplates,
    addSubjects,
    addRights,
    addDuties,
    addPolicy,
    addRelationships,
    addReplicas,
    addClients,
    addApiKeys,
    addScan,
    addUsage,
    addQuotas,
    addWebhooks,
  ])
    add(program, () => contextOf(program, run))
  return program
}

function contextOf(program: Command, run: Run): CommandContext {
  const { config, json } = program.opts<{ config: string; json: boolean }>()
  const isConfigNamed = program.getOptionValueSource('config') !== 'default'
  return {
    terminal: run.terminal,
    configFile: config,
    isConfigNamed,
    json,
    fail: (code = 1) => void (run.exitCode = code),
  }
}

function addNode(program: Command, run: Run): void {
  const context = () => contextOf(program, run)
  program
    .command('init')
    .description('write comity.yaml and fresh keys, and print the DID')
    .requiredOption('--url <url>', 'base URL of the public listener, e.g. https://node.example.org:8443')
    .option('--dir <directory>', 'where to write', '.')
    .option('--name <name>', 'name of the organisation; the host of the URL unless given')
    .addOption(signatureAlgorithm('of the keys that sign'))
    .option('--did-key', 'a did:key instead of a did:web; it can never rotate its keys', false)
    .option('--address <ip>', 'address to bind the public listener to; all unless given')
    .option('--port <port>', 'port of the public listener; the URL’s unless given', wholeNumber(1, 65_535))
    .option('--local-port <port>', 'port for local applications; 8081 unless given', wholeNumber(1, 65_535))
    .option('--admin-port <port>', 'port for this command and for metrics; 8082 unless given', wholeNumber(1, 65_535))
    .option('--passphrase-env <name>', 'environment variable with the passphrase of the keys')
    .option('--passphrase-file <file>', 'file with the passphrase of the keys')
    .option('--key-file <file>', 'file of 32 random bytes that encrypts the keys')
    .option('--allow-private <cidr...>', 'private networks that partners may be in')
    .action(async (options: object) => (await import('./commands/init.ts')).init(context(), options as never))
  program
    .command('start')
    .description('run the node until SIGTERM or SIGINT')
    .action(async () => (await import('./commands/start.ts')).start(context()))
  program
    .command('status')
    .description('what the running node says of itself')
    .action(async () => (await import('./commands/status.ts')).status(context()))
  program
    .command('doctor')
    .description('check clock, ports, storage, TLS, own DID, upstreams and partners')
    .action(async () => (await import('./commands/doctor.ts')).doctor(context()))
  const config = program.command('config').description('the configuration')
  config
    .command('check')
    .description('list every mistake in the configuration')
    .action(async () => (await import('./commands/config.ts')).checkConfig(context()))
}

/** Modes of sealing; `offered` is where the partner's document announces it. */
function sealingOption(flags: string, what: string): Option {
  return new Option(flags, `${what}; as its document announces when left out`).choices(['off', 'offered', 'required'])
}

/** `--algorithm`, with the names of the HTTP Signature Algorithms registry. */
function signatureAlgorithm(what: string): Option {
  return new Option('--algorithm <name>', what).choices(['ecdsa-p256-sha256', 'ed25519']).default('ecdsa-p256-sha256')
}

function addKeys(program: Command, run: Run): void {
  const context = () => contextOf(program, run)
  const keys = program.command('keys').description('the keys of the participant')
  keys
    .command('list')
    .description('the keys and their states')
    .action(async () => (await import('./commands/keys.ts')).listKeys(context()))
  keys
    .command('rotate')
    .description('publish successors, sign with them later, retire the old ones on time')
    .addOption(
      new Option('--purpose <purpose...>', 'which keys')
        .choices(['authentication', 'assertionMethod', 'keyAgreement', 'tls'])
        .default(['authentication', 'assertionMethod']),
    )
    .option('--publish-for <span>', 'how long a successor is published before it is used; 10m, with tls 7d', duration)
    .option('--overlap <span>', 'how long the old key is accepted after that', duration, 86_400_000)
    .addOption(signatureAlgorithm('of the successors that sign'))
    .action(async (options: object) => (await import('./commands/keys.ts')).rotateKeys(context(), options as never))
}

function addPartners(program: Command, run: Run): void {
  const context = () => contextOf(program, run)
  const partners = program.command('partners').description('the participants this node deals with')
  partners
    .command('list')
    .description('the partners and why each is trusted')
    .action(async () => (await import('./commands/partners.ts')).listPartners(context()))
  partners
    .command('add <alias> <did>')
    .description('trust a partner: by a fingerprint told out of band, or by a public authority for its did:web')
    .option('--fingerprint <sha256...>', "the partner's TLS key, sha256:…")
    .option('--url <url>', "base URL of the partner's node")
    .option('--require-client-certificate', 'demand its TLS client certificate on every call', false)
    .option('--name <name>', 'how people know it; shown to them instead of what it says of itself')
    .option('--country <code>', 'where it takes what it receives (ISO 3166-1), for consents that name places')
    .addOption(sealingOption('--seal-answers <mode>', 'ask it to seal its answers'))
    .addOption(sealingOption('--seal-requests <mode>', 'seal request bodies to it'))
    .option('--offline', 'do not try to reach it; otherwise a warning tells when it cannot be', false)
    .action(async (alias: string, did: string, options: object) =>
      (await import('./commands/partners.ts')).addPartner(context(), { alias, did, ...(options as object) } as never),
    )
  partners
    .command('remove <alias>')
    .description('stop dealing with a partner that was added while the node ran')
    .action(async (alias: string) => (await import('./commands/partners.ts')).removePartner(context(), alias))
}

function addAgreements(program: Command, run: Run): void {
  const context = () => contextOf(program, run)
  const agreements = program.command('agreements').description('what is agreed with partners')
  agreements
    .command('list')
    .description('the agreements and their states')
    .action(async () => (await import('./commands/agreements.ts')).listAgreements(context()))
  agreements
    .command('show <id>')
    .description('one agreement with its signed document, as JSON')
    .action(async (id: string) => (await import('./commands/agreements.ts')).showAgreement(context(), id))
  agreements
    .command('draft')
    .description('write an agreement to be signed by both sides')
    .requiredOption('--partner <alias-or-did>', 'the other side')
    .requiredOption('--product <id...>', 'the products it covers')
    .addOption(
      new Option('--as <role>', '`holder` when the products are yours, `recipient` when they are the partner’s')
        .choices(['holder', 'recipient'])
        .default('holder'),
    )
    .option('--operation <id...>', 'allowed operations; all unless given')
    .option('--purpose <iri...>', 'allowed purposes; any unless given')
    .option('--from <time>', 'begin of validity, ISO 8601')
    .option('--until <time>', 'end of validity, ISO 8601')
    .option('-o, --out <file>', 'where to write it; standard output unless given')
    .action(async (options: object) =>
      (await import('./commands/agreements.ts')).draftAgreement(context(), options as never),
    )
  agreements
    .command('sign <file>')
    .description('add your signature to an agreement')
    .option('-o, --out <file>', 'where to write it; in place unless given')
    .action(async (file: string, options: { out?: string }) =>
      (await import('./commands/agreements.ts')).signAgreement(context(), file, options),
    )
  agreements
    .command('import <file>')
    .description('put an agreement with both signatures into force')
    .action(async (file: string) => (await import('./commands/agreements.ts')).importAgreement(context(), file))
  agreements
    .command('terminate <id>')
    .description('end an agreement: the very next call is refused, the partner is told')
    .requiredOption('--reason <text>', 'why; the partner reads it')
    .action(async (id: string, options: { reason: string }) =>
      (await import('./commands/agreements.ts')).terminateAgreement(context(), id, options.reason),
    )
}

function addEvidence(program: Command, run: Run): void {
  const context = () => contextOf(program, run)
  const log = program.command('log').description('the audit log')
  log
    .command('show')
    .description('read the log: of the running node, or offline with --dir')
    .option('--from <position>', 'first position', wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .option('--limit <count>', 'how many', wholeNumber(1, 10_000), 100)
    .option('--last <count>', 'the newest so many, in place of --from and --limit', wholeNumber(1, 10_000))
    .option('--dir <directory>', 'a published log on disk: positions and commitments only')
    .action(async (options: object) => (await import('./commands/log.ts')).showLog(context(), options as never))
  log
    .command('rebuild')
    .description('write the published log again from the database of a stopped node')
    .action(async () => (await import('./commands/log.ts')).rebuildLog(context()))
  const receipts = program.command('receipts').description('what proves the exchanges')
  receipts
    .command('list')
    .description('the newest exchanges with a receipt')
    .option('--limit <count>', 'how many', wholeNumber(1, 1_000), 50)
    .action(async (options: object) =>
      (await import('./commands/receipts.ts')).listReceipts(context(), options as never),
    )
  receipts
    .command('export [id]')
    .description(
      'write the evidence (.json) and the receipt (.jws) of one exchange, or of all, to files that anyone can verify offline',
    )
    .option('--dir <directory>', 'where to; the configured receipts directory unless given')
    .action(async (id: string | undefined, options: object) =>
      (await import('./commands/receipts.ts')).exportReceipts(context(), id, options as never),
    )
}

/** Of the package, as `--version` prints it. */
function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
