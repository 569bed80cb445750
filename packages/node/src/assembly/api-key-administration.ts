/** API keys as the admin API asks for them. */
import type { ApiKeyChangesPort, ApiKeysPort } from '../admin/client-ports.ts'
import { parseInput } from '../admin/input.ts'
import { keyChangeSchema, keyRequestSchema } from '../api-keys/api-key-record.ts'
import type { ApiKeys, KeyCommands } from '../api-keys/api-keys.ts'
import { clientChangeSchema, clientRequestSchema } from '../api-keys/client.ts'
import type { IssuedKey } from '../api-keys/issue-key.ts'
import { rotationRequestSchema } from '../api-keys/rotation-request.ts'
import type { NodeParts } from '../node.ts'

/** Nothing is loaded before something is asked. */
export function apiKeyAdministration({ apiKeys: late }: Pick<NodeParts, 'apiKeys'>): ApiKeysPort {
  const keys = () => late.load()
  return {
    async changeIf(condition, work) {
      const loaded = await keys()
      if (condition === undefined) return work(changesBy(loaded, loaded))
      return loaded.inTurn(async (commands) => {
        await condition()
        return work(changesBy(commands, loaded))
      })
    },
    cutOffKey: (id, options) => late.loaded?.keys.cutOff(id, { ...options, by: 'operator' }) ?? (() => undefined),
    cutOffClient: (id) => late.loaded?.clients.cutOff(id) ?? (() => undefined),
    listClients: async () => (await keys()).listClients(),
    showClient: async (id) => (await keys()).showClient(id),
    requireEver: async (client) => (await keys()).requireEver(client),
    listKeys: async (filter) => (await keys()).listKeys(filter),
    showKey: async (id) => (await keys()).showKey(id),
    listRotations: async (filter) => (await keys()).listRotations(filter),
    showRotation: async (id) => (await keys()).showRotation(id),
  }
}

type Shows = Pick<ApiKeys, 'showKey'>

function changesBy(commands: KeyCommands, shows: Shows): ApiKeyChangesPort {
  const { clients, keys } = commands
  return {
    addClient: async (request) => clients.add(parseInput(clientRequestSchema, request)),
    changeClient: async (id, change) => clients.change(id, parseInput(clientChangeSchema, change)),
    removeClient: (id) => clients.remove(id),
    issueKey: async (client, request) => issued(shows, await keys.issue(client, parseInput(keyRequestSchema, request))),
    async changeKey(id, change) {
      await keys.change(id, parseInput(keyChangeSchema, change))
      return shows.showKey(id)
    },
    async disableKey(id, reason) {
      const { claimed, working } = await keys.disable(id, { by: 'operator', reason })
      return { key: await shows.showKey(id), claimed, working }
    },
    async enableKey(id) {
      await keys.enable(id)
      return shows.showKey(id)
    },
    async revokeKey(id, options) {
      const { alsoEnded, working } = await keys.revoke(id, { ...options, by: 'operator' })
      return { key: await shows.showKey(id), alsoEnded, working }
    },
    ...rotationChangesBy(commands, shows),
  }
}

type Rotating = 'rotate' | 'move' | 'replaceSuccessor'

function rotationChangesBy({ rotations }: KeyCommands, shows: Shows): Pick<ApiKeyChangesPort, Rotating> {
  return {
    async rotate(key, request) {
      const { rotation, successor } = await rotations.rotate(
        key,
        parseInput(rotationRequestSchema, request),
        'operator',
      )
      return { rotation, successor: successor && (await issued(shows, successor)) }
    },
    async move(id, to) {
      if (to === 'start') return rotations.begin(id, 'operator')
      if (to === 'roll-back') return rotations.rollBack(id)
      return rotations[to](id, 'operator')
    },
    async replaceSuccessor(id) {
      const { rotation, successor } = await rotations.replaceSuccessor(id)
      return { rotation, successor: await issued(shows, successor) }
    },
  }
}

async function issued({ showKey }: Shows, { record, text }: IssuedKey) {
  return { key: await showKey(record.id), text }
}
