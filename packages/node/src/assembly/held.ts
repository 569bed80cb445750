/** The recipient's side of consent, on the parts that the node has. */
import { Problem } from '@comity/core/problems'
import { publicKeyOf, verificationMethods } from '@comity/core/identity/did-document'
import { createHeldAttach } from '../consent/held/held-attach.ts'
import { createHeldConsents, type HeldConsents } from '../consent/held/held-consents.ts'
import { createHeldDelegations, type HeldDelegations } from '../consent/held/held-delegations.ts'
import { createHeldEvents, type HeldEvents } from '../consent/held/held-events.ts'
import type { HeldParts } from '../consent/held/held-parts.ts'
import { HeldPoll } from '../consent/held/held-poll.ts'
import { createConsentSource } from '../consent/held/held-source.ts'
import type { HeldStore } from '../consent/held/held-store.ts'
import { createHeldStore } from '../consent/held/held-store-sql.ts'
import { createTemplates, type Templates } from '../consent/held/held-templates.ts'
import { createTokenKeeper, type TokenKeeper } from '../consent/held/held-token-keeper.ts'
import type { TokenSource } from '../consent/holder/issue-token.ts'
import { createReplicaEndings } from '../replicas/replica-endings.ts'
import { createReplicaStore } from '../replicas/replica-store-sql.ts'
import type { HeldConsentsPort } from '../gateway/outbound/outbound-consent.ts'
import { createSignedCaller } from '../http/signed-call.ts'
import type { ConsentAssembly } from './consent.ts'
import { linkOf, type Counterparts } from './counterparts.ts'

export interface Held {
  readonly consents: HeldConsents
  readonly delegations: HeldDelegations
  readonly templates: Templates
  readonly keeper: TokenKeeper
  readonly store: HeldStore
  readonly events: HeldEvents
  readonly attach: HeldConsentsPort
  /** For this node's delegates. */
  readonly tokenSource: TokenSource
}

/** Of the parts, and the node's own systems. */
type HeldAssembly = ConsentAssembly & Pick<HeldParts, 'webhooks'>

export function openHeldConsents(parts: HeldAssembly, stack: AsyncDisposableStack): Held {
  const { foundation, auditLog, newId } = parts
  const { identity, world, events } = foundation
  const held = heldPartsOf(parts)
  const consents = createHeldConsents(held)
  const delegations = createHeldDelegations(held)
  const poll = stack.use(
    new HeldPoll({
      store: held.store,
      execute: held.execute,
      refresh: (id) => consents.refresh(id),
      ...world,
      onError: (error) => {
        // A holder that is away now is asked again; what is this node's own fault is told.
        if (!(error instanceof Problem)) events.internalError(error)
      },
    }),
  )
  poll.start()
  return {
    consents,
    delegations,
    templates: createTemplates({
      did: identity.did,
      clock: world.clock,
      newId,
      store: held.store,
      record: (event, effects) => auditLog.append(auditLog.prepare(event), effects),
      assertionKey: () => identity.assertionKey(),
    }),
    keeper: held.keeper,
    store: held.store,
    events: createHeldEvents({ ...held, readSoon: (id) => poll.readSoon(id) }),
    attach: { attach: createHeldAttach(held) },
    tokenSource: delegations,
  }
}

function heldPartsOf({ foundation, auditLog, counterparts, newId, webhooks }: HeldAssembly): HeldParts {
  const { identity, config, database, vault, world } = foundation
  const { outbox, resolver, client } = counterparts
  const authenticationKey = () => identity.authenticationKey()
  const source = createConsentSource(createSignedCaller({ ...world, authenticationKey, client }))
  const findPartner = endpointOf(counterparts)
  const skewSeconds = config.limits.clockSkewSeconds
  const keeper = createTokenKeeper({
    did: identity.did,
    clock: world.clock,
    skewSeconds,
    authenticationKey,
    source,
    partnerOf: (did) => {
      const partner = findPartner(did)
      if (partner === undefined) throw new Problem('partner-unknown', `there is no partner \`${did}\``)
      return partner
    },
    resolveKey: (keyid, purpose) => resolver.resolveKey(keyid, purpose),
  })
  return {
    did: identity.did,
    clock: world.clock,
    newId,
    store: createHeldStore(database),
    vault,
    execute: (statements) => database.execute(statements),
    record: (event, effects) => auditLog.append(auditLog.prepare(event), effects),
    outbox,
    webhooks,
    kept: createReplicaEndings(createReplicaStore(database), world.clock),
    findPartner,
    source,
    keeper,
    resolveKey: (keyid, purpose, atMs) => resolver.resolveKey(keyid, purpose, atMs),
    authenticationKey,
    async authenticationKeyOf(did) {
      const [method] = verificationMethods(await resolver.resolveDocument(did), 'authentication')
      if (method === undefined) throw new Problem('key-unknown', `\`${did}\` publishes no key that signs requests`)
      return publicKeyOf(method)
    },
    skewSeconds,
  }
}

function endpointOf({ partners }: Counterparts): HeldParts['findPartner'] {
  return (aliasOrDid) => {
    const partner = partners.find(aliasOrDid)
    return partner && linkOf(partner)
  }
}
