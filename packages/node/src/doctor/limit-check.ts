/** Checks the limits: that their rules name what there is, that the server that counts them for all replicas answers and keeps what it is told, and that
 *  replicas share nothing else that clients count on. */
import { counted } from '@comity/core/bytes/counted'
import { nearestName } from '../config/nearest-name.ts'
import { readSecret } from '../config/secret.ts'
import { unknownInRules } from '../limits/unknown-in-rules.ts'
import { loadOpenApi } from '../products/openapi/openapi.ts'
import { operationNames } from '../products/operation-names.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { bad, caution, describeError, good, type Finding } from './finding.ts'

type Options = Pick<DoctorOptions, 'config' | 'environment' | 'running'>

const check = 'limits'

export async function checkLimits(options: Options): Promise<Finding[]> {
  const { store } = options.config.limits
  const names = await checkNames(options)
  if (store === 'memory') return names
  return [...names, ...(await checkStore(options, store)), ...decideSharing(options.running?.clients ?? 0)]
}

/** Without the node it is not known what was added to it. */
async function checkNames({ config, running }: Options): Promise<Finding[]> {
  const { rules } = config.limits
  if (running?.productIds === undefined || rules.every((rule) => rule.for === undefined)) return []
  const configured = await Promise.all(
    config.products.map(async ({ id, openapi }) => ({
      id,
      operations: await operationNames(() => loadOpenApi(openapi)),
    })),
  )
  // What others declare was added, and its operations are not known here.
  const added = running.productIds.filter((id) => config.products.every((product) => product.id !== id))
  return unknownInRules(rules, {
    products: [...configured, ...added.map((id) => ({ id }))],
    participants: running.partners,
    clients: running.clientIds,
    nearest: nearestName,
  }).map(({ rule, place, message, help }) =>
    caution(
      check,
      `the rule \`${rule}\` meets nobody by a name: ${message}${help === undefined ? '' : ` (${help})`}`,
      `correct \`${place}\`, or add what it names`,
    ),
  )
}

type SharedStore = Exclude<Options['config']['limits']['store'], 'memory'>

async function checkStore({ config, environment }: Options, store: SharedStore): Promise<Finding[]> {
  const { connectRedis } = await import('../limits/redis/redis-connection.ts')
  try {
    const url = (await readSecret(store.redis.url, environment, config.directory)).reveal()
    await using redis = await connectRedis({ url, timeoutMs: store.redis.timeoutMs })
    const info = await redis.info()
    const hasQuotas = config.limits.rules.some(({ quota }) => quota !== undefined)
    return decideStore(info, hasQuotas)
  } catch (error) {
    const remedy =
      'start the server, or correct what `limits.store.redis.url` points to: without it limits say what becomes of calls'
    return [bad(check, `the store of the limits does not answer: ${describeError(error)}`, remedy)]
  }
}

/** The verdict about replicas whose clients hold API keys: a store of limits is there for replicas. */
export function decideSharing(clients: number): Finding[] {
  if (clients === 0) return []
  const detail = `${counted(clients, 'client')} may hold API keys, and replicas share limits only: keys, revocations, nonces, sequence numbers and granted quotas are each node’s own`
  const remedy = 'where several nodes share the store, let each client call one of them, and revoke its keys there'
  return [caution(check, detail, remedy)]
}

/** The verdict about a server by what it tells of itself (`INFO`). */
export function decideStore(info: ReadonlyMap<string, string>, hasQuotas: boolean): Finding[] {
  const name = info.has('valkey_version') ? 'Valkey' : 'Redis'
  const version = info.get('valkey_version') ?? info.get('redis_version') ?? 'of an unknown version'
  const findings = [good(check, `counted by ${name} ${version}`)]
  if (info.get('redis_mode') === 'cluster') {
    const remedy = 'name a server that is not part of a cluster, or the address of a primary behind Sentinel'
    findings.push(caution(check, 'the server is part of a cluster: only one of its nodes is asked', remedy))
  }
  const eviction = info.get('maxmemory_policy') ?? 'noeviction'
  if (eviction !== 'noeviction') {
    const detail = `the server drops keys when its memory is full (\`maxmemory-policy ${eviction}\`), which gives limits back`
    findings.push(caution(check, detail, 'set `maxmemory-policy noeviction`, or give it a server of its own'))
  }
  if (hasQuotas && info.get('aof_enabled') === '0') {
    const detail = 'the server writes no append-only file: when it crashes, quotas may begin anew'
    findings.push(caution(check, detail, 'set `appendonly yes`'))
  }
  return findings
}
