/** Consents as the admin API asks for them, on the services that the node has. */
import { Problem } from '@comity/core/problems'
import type { ConsentAdminParts } from '../admin/consent-ports.ts'
import type { NodeParts } from '../node.ts'
import { openAccessLog } from './people.ts'

export function consentAdministration(parts: NodeParts): ConsentAdminParts {
  const { foundation, counterparts, consent } = parts
  const { identity, config, world, vault, database } = foundation
  const { held } = consent
  return {
    did: identity.did,
    clock: world.clock,
    participant: { name: config.participant.name },
    findPartner: (aliasOrDid) => counterparts.partners.find(aliasOrDid),
    consents: consent.consents,
    uses: openAccessLog(parts, consent.store),
    subjects: {
      handleOf: (reference) => vault.handleOf(reference),
      async createManageLink(reference) {
        const link = await pagesOf(parts).createManageLink(reference)
        // What the person asks for over the link is told to the systems that know them by this name.
        await consent.rights.remember(vault.handleOf(reference), reference)
        return link
      },
      createDecideLink: async (id, grantor) => pagesOf(parts).createDecideLink(id, grantor),
      erase: consent.eraseSubject,
      reset: async (reference) =>
        void (await database.execute(pagesOf(parts).deleteSubject(vault.handleOf(reference)))),
      readmit: async (reference) =>
        void (await database.execute(vault.readmit(vault.handleOf(reference), world.clock.now()))),
    },
    held: held.consents,
    delegations: held.delegations,
    templates: held.templates,
    duties: consent.duties,
    rights: consent.rights,
    webhooks: consent.webhooks,
  }
}

function pagesOf({ consent: { people } }: NodeParts) {
  if (people !== undefined) return people
  throw new Problem('not-found', 'this node has no pages for people: declare `listen.people` in its configuration')
}
