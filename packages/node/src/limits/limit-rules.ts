/** Which rules a call meets, and by what each counts it. */
import type { Limit, StoreFailureMode } from './limit.ts'
import type { CredentialKind, LimitDimension, LimitRuleConfig } from './limit-rule-config.ts'
import { strangersKey } from './strangers.ts'

/** What limits look at in a call, as far as it is known. */
export interface CallFacts {
  /** Who is counted: a DID, or `ip:…` of somebody who is nobody's partner. */
  readonly caller: string
  /** The partner's alias, where the caller is one. */
  readonly alias: string | undefined
  /** As `countedAddress` gives it. */
  readonly address: string
  /** Id of the credential; undefined for who has none that counts. */
  readonly key: string | undefined
  readonly client: string | undefined
  readonly credential: CredentialKind
  /** Id, without a version. */
  readonly product: string
  readonly operation: string | undefined
  /** A keyed hash of whom the call is about. */
  readonly subject: string | undefined
}

/** A rule, ready to be asked. */
export interface LimitRule {
  readonly limit: Limit
  readonly by: readonly LimitDimension[]
  readonly onStoreFailure: StoreFailureMode
  /** Whether it can be judged only with the operation, or the subject. */
  readonly needsOperation: boolean
  readonly needsSubject: boolean
  /** False when the rule never meets calls to the product. */
  isOf(product: string): boolean
  /** Whether the rule meets a call of which it knows all that it needs. */
  meets(facts: CallFacts): boolean
}

/** The rules of a configuration, in its order. */
export function compileRules(rules: readonly LimitRuleConfig[]): LimitRule[] {
  return rules.map(compileRule)
}

function compileRule(rule: LimitRuleConfig): LimitRule {
  const { by, for: filter = {}, onStoreFailure } = rule
  const operations = filter.operations && new Set(filter.operations)
  const ofOperations = operations && new Set([...operations].map((name) => name.slice(0, name.indexOf('/'))))
  const among = (names: readonly string[] | undefined) => (names === undefined ? undefined : new Set(names))
  const [products, participants, clients] = [among(filter.products), among(filter.participants), among(filter.clients)]
  const credentials = among(filter.credential)
  return {
    limit: limitOf(rule),
    by,
    onStoreFailure,
    needsOperation: operations !== undefined || by.includes('operation'),
    needsSubject: by.includes('subject'),
    isOf: (product) => products?.has(product) !== false && ofOperations?.has(product) !== false,
    meets: ({ caller, alias, client, credential, product, operation }) =>
      (participants === undefined || participants.has(caller) || (alias !== undefined && participants.has(alias))) &&
      (clients === undefined || (client !== undefined && clients.has(client))) &&
      credentials?.has(credential) !== false &&
      (operations === undefined || operations.has(`${product}/${operation}`)),
  }
}

/** The limit of a rule that the schema took. */
export function limitOf({ name, algorithm, units, perSeconds, burst, quota, concurrency }: LimitRuleConfig): Limit {
  if (quota !== undefined) return { kind: 'quota', name, ...quota }
  if (concurrency !== undefined) return { kind: 'concurrency', name, slots: concurrency }
  if (units === undefined || perSeconds === undefined) throw new Error(`the rule \`${name}\` is not of any kind`)
  const rate = { name, limit: units, periodMs: perSeconds * 1_000 }
  if (algorithm === 'sliding-window') return { kind: 'sliding-window', ...rate }
  return { kind: 'gcra', ...rate, ...(burst === undefined ? {} : { burst }) }
}

/** Who is nobody's partner and no client: counted by the address, and apart from all others. */
export function isStranger({ caller }: Pick<CallFacts, 'caller'>): boolean {
  return caller.startsWith('ip:')
}

/** What tells one caller from another; by all else strangers count together with everybody. */
const ofCallers: ReadonlySet<LimitDimension> = new Set(['participant', 'key', 'client', 'address'])

/** What a rule counts a call by: `participant=did:web:lab.example operation=readings/list`, or a counter of strangers.
 *  Where it is kept on a disk, `hash` stands between it and addresses. Undefined when the call lacks something that the
 *  rule counts by. */
export function keyOfRule(
  { by, limit }: LimitRule,
  facts: CallFacts,
  hash: (text: string) => string,
): string | undefined {
  // Quotas are kept on a disk.
  const isKept = limit.kind === 'quota'
  let key = ''
  for (const dimension of by) {
    const value = valueOf(dimension, facts)
    if (value === undefined) return undefined
    key += `${key === '' ? '' : ' '}${dimension}=${isKept && dimension === 'address' ? hash(value) : value}`
  }
  return isStranger(facts) && by.some((dimension) => ofCallers.has(dimension))
    ? strangersKey(`${limit.name} ${key}`, hash)
    : key
}

function valueOf(dimension: LimitDimension, facts: CallFacts): string | undefined {
  switch (dimension) {
    case 'participant':
      return facts.caller
    case 'key':
      return facts.key ?? facts.caller
    case 'client':
      return facts.client ?? facts.caller
    case 'product':
      return facts.product
    case 'operation':
      return facts.operation === undefined ? undefined : `${facts.product}/${facts.operation}`
    case 'address':
      return facts.address
    case 'subject':
      return facts.subject
  }
}
