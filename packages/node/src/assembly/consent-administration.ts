/** Consents as the admin API asks for them, on the services that the node has. */
import { Problem } from '@comity/core/problems'
import type { ConsentAdminParts } from '../admin/consent-ports.ts'
import { createSubjectErasure } from '../consent/erase-subject.ts'
import type { NodeParts } from '../node.ts'
import { openAccessLog } from './people.ts'

export function consentAdministration(parts: NodeParts): ConsentAdminParts {
  const { foundation, counterparts, consent } = parts
  const { identity, config, world, vault } = foundation
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
      createManageLink: async (reference) => pagesOf(parts).createManageLink(reference),
      createDecideLink: async (id, grantor) => pagesOf(parts).createDecideLink(id, grantor),
      erase: createSubjectErasure({
        did: identity.did,
        clock: world.clock,
        newId: parts.newId,
        vault,
        consents: consent.consents,
        store: held.store,
        keeper: held.keeper,
        outbox: counterparts.outbox,
        record: (event, effects) => parts.auditLog.append(parts.auditLog.prepare(event), effects),
        deletions: [(subject) => consent.people?.deleteSubject(subject) ?? []],
      }),
    },
    held: held.consents,
    delegations: held.delegations,
    templates: held.templates,
  }
}

function pagesOf({ consent: { people } }: NodeParts) {
  if (people !== undefined) return people
  throw new Problem('not-found', 'this node has no pages for people: declare `listen.people` in its configuration')
}
