/** `comity doctor`: what keeps this node from working, and what to do about it. Exit code 1 when a check fails. */
import { pooledRandomBytes } from '@comity/node/assembly/world'
import type { AgreementView, NodeStatus, PartnerView, ProductView, WebhookView } from '@comity/node/admin/admin-api'
import { loadConfig } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import type { ClientView } from '@comity/node/admin/client-api'
import type { NoPoliciesView, PolicyFaultView, PolicySetView } from '@comity/node/admin/policy-api'
import type { PolicyFacts, RunningFacts } from '@comity/node/doctor/doctor-options'
import { bad, caution, good, type Finding } from '@comity/node/doctor/finding'
import { withoutAlike } from '@comity/node/policy/sets/like-faults'
import { Problem, problemKinds } from '@comity/core/problems'
import { colors } from '../colors.ts'
import { connect, show, type CommandContext } from '../command-context.ts'

const signs = { good: colors.green('✓'), caution: colors.yellow('!'), bad: colors.red('✗') }

function line({ check, outcome, detail, remedy }: Finding): string[] {
  const told = `${signs[outcome]} ${check.padEnd(18)} ${detail}`
  return remedy === undefined ? [told] : [told, colors.dim(`${' '.repeat(21)}→ ${remedy}`)]
}

/** The node of this configuration, when it runs and knows the token. */
async function askNode(context: CommandContext): Promise<{ finding: Finding; running: RunningFacts | undefined }> {
  try {
    const client = await connect(context)
    const status = await client.get<NodeStatus>('/v1/status')
    const partners = await client.all<PartnerView>('/v1/partners')
    const products = await client.all<ProductView>('/v1/products')
    const webhooks = await client.get<WebhookView[]>('/v1/webhooks')
    const agreements = await client.all<AgreementView>('/v1/agreements')
    const clients = await client.all<ClientView>('/v1/clients')
    const policies = await client.get<PolicySetView | NoPoliciesView>('/v1/policies')
    const running: RunningFacts = {
      ports: status.ports,
      partners: partners.map(({ alias, did, url, fingerprints }) => ({ alias, did, url, fingerprints })),
      clients: clients.length,
      clientIds: clients.map(({ id }) => id),
      productIds: products.map(({ id }) => id),
      addedProducts: products.filter(({ source }) => source === 'admin').length,
      sealing: products.flatMap((product) => product.sealing ?? []),
      personalProducts: products.filter((product) => product.class === 'personal').map(({ id }) => id),
      webhooks,
      policies: policyFacts(policies),
      overlaps: agreements.flatMap(({ id, overlaps }) =>
        overlaps.map(({ agreement: other, products: of }) => ({ agreement: id, other, products: of })),
      ),
    }
    return { finding: good('node', `runs version ${status.version} as ${status.did}`), running }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { finding: absence(error), running: undefined }
  }
}

function policyFacts(set: PolicySetView | NoPoliciesView): PolicyFacts {
  if (!('policies' in set)) return { version: 0, policies: 0, warnings: [] }
  const { version, hash, policies, warnings } = set
  return {
    version,
    hash,
    policies: policies.length,
    warnings: withoutAlike(warnings).map(warningText),
  }
}

function warningText({ source, line: at, message, help }: PolicyFaultView): string {
  const place = at === undefined ? source : `${source}:${at}`
  return `${place}: ${message}${help === undefined ? '' : ` (${help})`}`
}

function absence({ code, message }: Problem): Finding {
  if (code === 'node-not-running') {
    return caution(
      'node',
      'does not run; what only a running node can show was left out',
      'start it with `comity start`',
    )
  }
  if (code === 'config-not-named') return bad('node', `was not asked: ${message}`, problemKinds[code].remedy)
  const remedy = 'another program, or a node with another token, answers on the admin address: correct `listen.admin`'
  return bad('node', `the admin address answers, but not as this node: ${message}`, remedy)
}

async function examineAll(context: CommandContext): Promise<Finding[]> {
  const environment = readEnvironment()
  const config = await loadConfig(context.configFile, environment)
  const { finding, running } = await askNode(context)
  const { examine } = await import('@comity/node/doctor/doctor')
  const findings = await examine({ config, environment, clock: Date, randomBytes: pooledRandomBytes(), running })
  return [good('configuration', `${config.file} has no mistakes`), finding, ...findings]
}

export async function doctor(context: CommandContext): Promise<void> {
  const findings = await examineAll(context)
  const ok = findings.every(({ outcome }) => outcome !== 'bad')
  show(context, { ok, findings }, () => findings.flatMap(line))
  if (!ok) context.fail()
}
