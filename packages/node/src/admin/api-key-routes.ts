/** `/v1/api-keys` and `/v1/rotations`: single keys, and how one succeeds another. */
import { z } from 'zod'
import { keyIdOf, withoutKeySecrets } from '@comity/core/api-keys/named-key'
import { formatDateTime } from '@comity/core/agreement/date-time'
import {
  apiKeySchema,
  begunRotationSchema,
  disabledKeySchema,
  keyRotationSchema,
  keyStateWords,
  liveOfKeys,
  liveOfRotations,
  revokedKeySchema,
  rotationDetailsSchema,
} from './client-api.ts'
import { apiKeyView, begunRotationView, disabledKeyView, revokedKeyView, rotationView } from './client-views.ts'
import { warned } from './key-warnings.ts'
import type { AdminParts } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { after, judgedLater, limit, named, text, truth } from './shapes.ts'

type Parts = Pick<AdminParts, 'apiKeys' | 'schemas' | 'products' | 'environment'>

const tag = 'clients' as const
/** A whole key is what one has at hand when it has leaked: it is read as its id, and goes no further. */
const keyParameters = {
  id: z
    .string()
    .min(1)
    .transform(idOf)
    .meta({ description: 'Id of a key: eight characters; or its name, `cmty_live_7Qm2xK9a`.' }),
}
const rotationParameters = named('Id of a rotation.')
/** What names no key is looked up without the secret that may be in it. */
function idOf(given: string): string {
  try {
    return keyIdOf(given)
  } catch {
    return withoutKeySecrets(given)
  }
}

const keyOf = ({ id }: { readonly id: string }) => id

/** Routes of keys. */
export function apiKeyRoutes(parts: Parts): AdminRoute[] {
  const { apiKeys } = parts
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/api-keys',
      tag,
      summary: 'The keys of all clients, oldest first; never what their secrets follow from',
      query: { client: text(63).optional(), state: z.enum(keyStateWords).optional(), after, limit: limit(100) },
      result: z.array(apiKeySchema),
      paging: { by: 'after', keyOf },
      problems: ['client-unknown'],
      async answer({ query }) {
        if (query.client !== undefined) await apiKeys.requireEver(query.client)
        return (await apiKeys.listKeys(query)).map(apiKeyView)
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/api-keys/{id}',
      tag,
      summary: 'One key: scope, networks, state, when and from where it was used last, and how often',
      parameters: keyParameters,
      result: apiKeySchema,
      live: liveOfKeys,
      problems: ['api-key-unknown'],
      answer: async ({ path: { id } }) => apiKeyView(await apiKeys.showKey(id)),
    }),
    ...keyChangeRoutes(parts),
  ]
}

const keyProblems = ['api-key-unknown', 'api-key-state'] as const
const shared = {
  tag,
  parameters: keyParameters,
  result: apiKeySchema,
  problems: keyProblems,
  guards: true,
} as const

function keyChangeRoutes({ apiKeys, schemas, products, environment }: Parts): AdminRoute[] {
  return [
    defineRoute({
      ...shared,
      method: 'PATCH',
      path: '/v1/api-keys/{id}',
      summary:
        'Changes what is given of a key, and of its successor what was not set of that alone; `null` takes an entry away',
      problems: [...keyProblems, 'key-rotation-refused'],
      body: judgedLater(schemas.apiKeys.keyChange),
      async answer({ path: { id }, body, condition }) {
        const key = await apiKeys.changeIf(condition, (changes) => changes.changeKey(id, body))
        const { policies } = await apiKeys.showClient(key.client)
        return { ...apiKeyView(key), ...warned(key, { products, policies, environment }) }
      },
    }),
    defineRoute({
      ...shared,
      method: 'POST',
      path: '/v1/api-keys/{id}/revoke',
      summary: 'Revokes a key for good, for the very next call, with all that was claimed with it',
      description:
        'It counts before anything is written: an error afterwards says so by `cutOff`, and the node goes on trying.',
      body: z.strictObject({
        reason: text(200).optional(),
        keepClaimed: z.boolean().optional().meta({ description: 'Whether keys that were claimed with it go on.' }),
      }),
      mayBeEmpty: true,
      result: revokedKeySchema,
      atOnce: ({ path: { id }, body }) => apiKeys.cutOffKey(id, body),
      answer: async ({ path: { id }, body, condition }) =>
        revokedKeyView(await apiKeys.changeIf(condition, (changes) => changes.revokeKey(id, body))),
    }),
    ...settingRoutes({ apiKeys }),
    rotateRoute({ apiKeys, schemas }),
  ]
}

function settingRoutes({ apiKeys }: Pick<Parts, 'apiKeys'>): AdminRoute[] {
  const setting = { ...shared, body: z.strictObject({ reason: text(200).optional() }), mayBeEmpty: true } as const
  return [
    defineRoute({
      ...setting,
      method: 'POST',
      path: '/v1/api-keys/{id}/disable',
      summary: 'Disables a key until it is enabled, for the very next call; what was claimed with it works on',
      result: disabledKeySchema,
      answer: async ({ path: { id }, body, condition }) =>
        disabledKeyView(await apiKeys.changeIf(condition, (changes) => changes.disableKey(id, body.reason))),
    }),
    defineRoute({
      ...setting,
      method: 'POST',
      path: '/v1/api-keys/{id}/enable',
      summary: 'Enables a key that was disabled',
      answer: async ({ path: { id }, condition }) =>
        apiKeyView(await apiKeys.changeIf(condition, (changes) => changes.enableKey(id))),
    }),
  ]
}

function rotateRoute({ apiKeys, schemas }: Pick<Parts, 'apiKeys' | 'schemas'>): AdminRoute {
  return defineRoute({
    method: 'POST',
    path: '/v1/api-keys/{id}/rotate',
    tag,
    summary: 'Begins the rotation of a key; where the successor is made now, the answer alone has its secret',
    status: 201,
    parameters: keyParameters,
    body: judgedLater(schemas.apiKeys.rotation),
    mayBeEmpty: true,
    result: begunRotationSchema,
    shownAt: '/v1/rotations/{id}',
    madeIn: 'rotation',
    problems: ['api-key-unknown', 'api-key-state', 'key-rotation-refused'],
    guards: true,
    answer: async ({ path: { id }, body, condition }) =>
      begunRotationView(await apiKeys.changeIf(condition, (changes) => changes.rotate(id, body))),
  })
}

/** Routes of rotations. */
export function keyRotationRoutes(parts: Parts): AdminRoute[] {
  const { apiKeys } = parts
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/rotations',
      tag,
      summary: 'The rotations of API keys, oldest first',
      query: {
        client: text(63).optional(),
        key: text(8).optional().meta({ description: 'Id of the old key or of its successor.' }),
        running: truth.optional(),
        after,
        limit: limit(100),
      },
      result: z.array(keyRotationSchema),
      paging: { by: 'after', keyOf },
      problems: ['client-unknown'],
      async answer({ query: { running, ...query } }) {
        if (query.client !== undefined) await apiKeys.requireEver(query.client)
        return (await apiKeys.listRotations({ ...query, isRunning: running })).map(rotationView)
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/rotations/{id}',
      tag,
      summary: 'One rotation, and who still uses the old key',
      parameters: rotationParameters,
      result: rotationDetailsSchema,
      live: liveOfRotations,
      problems: ['key-rotation-unknown'],
      async answer({ path: { id } }) {
        const { rotation, remaining } = await apiKeys.showRotation(id)
        const users = remaining.map(({ network, lastMs, uses }) => ({ network, last: formatDateTime(lastMs), uses }))
        return { ...rotationView(rotation), remaining: users }
      },
    }),
    ...rotationChangeRoutes(parts),
  ]
}

function rotationChangeRoutes({ apiKeys }: Parts): AdminRoute[] {
  const problems = ['key-rotation-unknown', 'key-rotation-refused'] as const
  const moving = (to: 'start' | 'drain' | 'complete' | 'roll-back', summary: string) =>
    defineRoute({
      method: 'POST',
      path: `/v1/rotations/{id}/${to}`,
      tag,
      summary,
      parameters: rotationParameters,
      result: keyRotationSchema,
      problems,
      guards: true,
      answer: async ({ path: { id }, condition }) =>
        rotationView(await apiKeys.changeIf(condition, (changes) => changes.move(id, to))),
    })
  return [
    moving('start', 'Lets both keys work from now on, before the time that was planned'),
    moving('drain', 'Says that clients should have moved by now'),
    moving('complete', 'Retires the old key now; there must be a successor'),
    moving('roll-back', 'Revokes the successor; the old key is as before'),
    defineRoute({
      method: 'POST',
      path: '/v1/rotations/{id}/successor',
      tag,
      summary: 'Makes a successor, or another one instead of one that was never used',
      status: 201,
      parameters: rotationParameters,
      result: begunRotationSchema,
      shownAt: '/v1/api-keys/{id}',
      madeIn: 'successor',
      problems: [...problems, 'api-key-state'],
      guards: true,
      answer: async ({ path: { id }, condition }) =>
        begunRotationView(await apiKeys.changeIf(condition, (changes) => changes.replaceSuccessor(id))),
    }),
  ]
}
