/** Checks the operator's own systems behind webhooks: that each has a secret, can be reached, and takes its messages; and
 *  that clients take theirs. */
import { counted } from '@comity/core/bytes/counted'
import { readSecret } from '../config/secret.ts'
import { shownAddress } from '../webhooks/shown-address.ts'
import { isOnThisMachine } from '../webhooks/webhook-config.ts'
import { parseWebhookSecret } from '../webhooks/webhook-signature.ts'
import { connects } from './connects.ts'
import { trustIn, type DoctorOptions, type WebhookFacts } from './doctor-options.ts'
import { bad, caution, codeOf, describeError, good, type Finding } from './finding.ts'

type Options = Pick<DoctorOptions, 'config' | 'environment' | 'fetch' | 'clock' | 'running'>
type Webhook = DoctorOptions['config']['webhooks'][number]

/** A message that waits longer than this was tried more than once. */
const lateMs = 5 * 60_000

export async function checkWebhooks(options: Options): Promise<Finding[]> {
  const { config, running, clock } = options
  const checked = config.webhooks.map(async (webhook) => {
    const address = shownAddress(webhook.url)
    const check = `webhook ${address.replace(/^https?:\/\//, '')}`
    const facts = running?.webhooks?.find(({ endpoint, client }) => endpoint === address && client === undefined)
    return [
      ...(await checkSecret(check, options, webhook)),
      await checkReach(check, options, webhook),
      ...decideOutbox(check, facts, clock.now()),
    ]
  })
  const clients = (running?.webhooks ?? []).flatMap((facts) => checkClient(facts, clock.now()))
  return [...(await Promise.all(checked)).flat(), ...clients]
}

/** Its address is called for its messages alone: it is somebody else's. */
function checkClient(facts: WebhookFacts, nowMs: number): Finding[] {
  if (facts.client === undefined) return []
  const check = `webhook of ${facts.client}`
  const findings = decideOutbox(check, facts, nowMs).map((finding) => ({
    ...finding,
    detail: `${facts.endpoint}: ${finding.detail}`,
  }))
  return findings.length > 0 ? findings : [good(check, `nothing waits too long for ${facts.endpoint}`)]
}

/** What to do about a client's system is for whoever runs it. */
function remediesOf({ client, endpoint }: WebhookFacts) {
  if (client === undefined) {
    return {
      late: 'read `webhook.delayed` in the log; a status 4xx is about one message, a 401 most likely the secret',
      dead: 'mend the system, then `comity webhooks replay --all`; dead letters are kept for 30 days',
      givenUp: 'what they told of is in the node: compare `comity consents list` and `comity duties list`',
    }
  }
  const owner = `tell its owner (\`comity clients show ${client}\`)`
  return {
    late: `${owner}: nothing of yours waits for it`,
    dead: `${owner}, then \`comity webhooks replay --all --endpoint ${endpoint}\`; dead letters are kept for 30 days`,
    givenUp: `${owner}: what they told of is in \`comity clients show ${client}\``,
  }
}

async function checkSecret(check: string, { config, environment }: Options, { secret }: Webhook): Promise<Finding[]> {
  try {
    parseWebhookSecret((await readSecret(secret, environment, config.directory)).reveal())
    return []
  } catch (error) {
    return [
      bad(check, describeError(error), 'write a secret as `docs/operating/webhooks.md` says, and restart the node'),
    ]
  }
}

/** Only the root is asked for, without a body: a message could mean something to the system. */
async function checkReach(check: string, { fetch }: Options, { url: text, fingerprints }: Webhook): Promise<Finding> {
  const url = new URL(text)
  try {
    if (isOnThisMachine(url)) await connects(url)
    else await fetch({ url: `${url.origin}/`, method: 'HEAD', trust: trustIn({ fingerprints }) })
    return good(check, `${url.origin} takes connections`)
  } catch (error) {
    const code = codeOf(error)
    // It answered, as somebody who is not asked for this: that is enough.
    if (code === 'answer-unusable') return good(check, `${url.origin} answers`)
    return bad(check, `${url.origin}: ${describeError(error)}`, remedyFor(code))
  }
}

function remedyFor(code: string | undefined): string {
  if (code === 'address-forbidden') return 'allow the network under `network.allowPrivateAddresses`'
  if (code === 'tls-untrusted') return 'give it a certificate of a public authority, or its key under `fingerprints`'
  return 'start the system, or correct the `url` of the webhook: messages wait until it takes them'
}

/** The verdict about what waits for a system, and what was given up. */
export function decideOutbox(check: string, facts: WebhookFacts | undefined, nowMs: number): Finding[] {
  if (facts === undefined) return []
  const { waiting, oldest, lastError, dead, givenUp } = facts
  const remedies = remediesOf(facts)
  const findings: Finding[] = []
  const late = oldest !== undefined && nowMs - Date.parse(oldest) > lateMs
  if (late) {
    const why = lastError === undefined ? '' : `; the last try: ${lastError}`
    const detail = `${counted(waiting, 'message waits', 'messages wait')}, the oldest since ${oldest}${why}`
    findings.push(caution(check, detail, remedies.late))
  }
  if (dead > 0) {
    findings.push(caution(check, counted(dead, 'dead letter', 'dead letters'), remedies.dead))
  }
  if (givenUp > 0) {
    const detail = `${counted(givenUp, 'message was', 'messages were')} given up in the last 30 days`
    findings.push(caution(check, detail, remedies.givenUp))
  }
  return findings
}
