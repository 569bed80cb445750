/** API keys as the admin API asks for them. */
import type { ApiKeysPort } from '../admin/client-ports.ts'
import { parseInput } from '../admin/input.ts'
import { keyChangeSchema, keyRequestSchema } from '../api-keys/api-key-record.ts'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import { clientChangeSchema, clientRequestSchema } from '../api-keys/client.ts'
import type { IssuedKey } from '../api-keys/issue-key.ts'
import { rotationRequestSchema } from '../api-keys/rotation-request.ts'
import type { NodeParts } from '../node.ts'

/** Nothing is loaded before something is asked. */
export function apiKeyAdministration({ apiKeys: late }: Pick<NodeParts, 'apiKeys'>): ApiKeysPort {
  const keys = () => late.load()
  return {
    listClients: async () => (await keys()).listClients(),
    showClient: async (id) => (await keys()).showClient(id),
    addClient: async (request) => (await keys()).clients.add(parseInput(clientRequestSchema, request)),
    changeClient: async (id, change) => (await keys()).clients.change(id, parseInput(clientChangeSchema, change)),
    removeClient: async (id) => (await keys()).clients.remove(id),
    listKeys: async (filter) => (await keys()).listKeys(filter),
    showKey: async (id) => (await keys()).showKey(id),
    issueKey: async (client, request) =>
      issued(await keys(), await (await keys()).keys.issue(client, parseInput(keyRequestSchema, request))),
    async changeKey(id, change) {
      await (await keys()).keys.change(id, parseInput(keyChangeSchema, change))
      return (await keys()).showKey(id)
    },
    async setKey(id, to, reason) {
      const { keys: life, showKey } = await keys()
      await (to === 'enable' ? life.enable(id) : life[to](id, { by: 'operator', reason }))
      return showKey(id)
    },
    ...rotationAdministration(keys),
  }
}

type Rotating = 'rotate' | 'move' | 'replaceSuccessor' | 'listRotations' | 'showRotation'

function rotationAdministration(keys: () => Promise<ApiKeys>): Pick<ApiKeysPort, Rotating> {
  return {
    async rotate(key, request) {
      const { rotations } = await keys()
      const parsed = parseInput(rotationRequestSchema, request)
      const { rotation, successor } = await rotations.rotate(key, parsed, 'operator')
      return { rotation, successor: successor && (await issued(await keys(), successor)) }
    },
    async move(id, to) {
      const { rotations } = await keys()
      if (to === 'start') return rotations.begin(id, 'operator')
      if (to === 'roll-back') return rotations.rollBack(id)
      return rotations[to](id, 'operator')
    },
    async replaceSuccessor(id) {
      const { rotation, successor } = await (await keys()).rotations.replaceSuccessor(id, 'operator')
      return { rotation, successor: await issued(await keys(), successor) }
    },
    listRotations: async (filter) => (await keys()).listRotations(filter),
    showRotation: async (id) => (await keys()).showRotation(id),
  }
}

async function issued({ showKey }: ApiKeys, { record, text }: IssuedKey) {
  return { key: await showKey(record.id), text }
}
