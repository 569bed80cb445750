/** The face of the SDK: an application's way to its partners, through its own node.
 *
 *      const comity = createComityClient({ node: 'http://127.0.0.1:8081', purpose: 'https://w3id.org/dpv#ResearchAndDevelopment' })
 *      const athletes = comity.product<paths>('federation', 'athletes')
 *      const { data, receipt } = await athletes.get('/athletes/{id}', { path: { id: 7 } })                      */
import type { Clock, Fetch, RandomBytes } from '@comity/core/ports'
import { apiKeyCredential, type ApiKeyStore, type Credential } from './api-key.ts'
import type { CallSettings } from './call-options.ts'
import { askComposite, type CompositeAnswer, type CompositeOptions, type CompositePart } from './composite.ts'
import { invalidCall } from './comity-error.ts'
import { platform } from './main.ts'
import { Pacer } from './pacer.ts'
import { createProduct, positive, type Product, type TypedProduct } from './product.ts'
import { checkFields } from './request-head.ts'
import { presenting } from './send-with-key.ts'
import { parseNodeAddress, productAddress } from './target.ts'
import type { VersionEnd } from './version-end.ts'
import type { Sleep, World } from './world.ts'

export type { Actor } from '@comity/core/exchange/actor'
export type { ReceiptClaims } from '@comity/core/exchange/receipt'
export type {
  Answer,
  BytesAnswer,
  CallOptions,
  CallSettings,
  PathValues,
  QueryValues,
  RequestOptions,
  StreamedAnswer,
  StreamOptions,
  UntypedOptions,
} from './call-options.ts'
export type { ApiKeyStore } from './api-key.ts'
export { createKeyedFetch } from './keyed-fetch.ts'
export type { KeyedFetch, KeyedFetchOptions, KeyedInit } from './keyed-fetch.ts'
export { signApiRequest } from './sign-api-request.ts'
export type { ApiSigning, RequestToSign } from './sign-api-request.ts'
export { ComityError } from './comity-error.ts'
export type { CompositeAnswer, CompositeExchange, CompositeOptions, CompositePart, PartAnswer } from './composite.ts'
export type { ClientErrorCode, ComityErrorCode } from './comity-error.ts'
export type { DataOf, Method, OptionsOf, PathsWith } from './product-types.ts'
export type { Product, TypedProduct } from './product.ts'
export type { Receipt } from './receipt.ts'
export type { ReplicaChoice, ReplicaMode, ReplicaNote } from './replica.ts'
export type { VersionEnd } from './version-end.ts'
export { createWebhookReceiver } from './webhook.ts'
export type { HandledWebhooks } from './handled-webhooks.ts'
export type { ReceivedWebhook, WebhookEvent, WebhookReceiver, WebhookReceiverOptions } from './webhook.ts'
export { isClientEvent } from '@comity/core/events/client-events'
export type { ClientEvent, ClientEvents, ClientEventType } from '@comity/core/events/client-events'
export type { Sleep } from './world.ts'

/** Settings of all calls, and how this client reaches its node. */
export interface ClientOptions extends CallSettings {
  /** Address of the own node's listener for applications, e.g. `http://127.0.0.1:8081`. That listener refuses web
   *  pages: in a browser, give the path of your own server that calls the node for the signed-in user. */
  readonly node: string
  /** Header fields of every call, such as a credential for the own node. They never appear in an error. */
  readonly headers?: Readonly<Record<string, string>>
  /** The application's API key at its own node. Of a key in a store the client gets the next one itself when it is
   *  rotated; a mere text is used until it ends. It never appears in an error. */
  readonly apiKey?: string | ApiKeyStore
  /** Calls to one product under way at once. Default 16. */
  readonly maxConcurrent?: number
  /** Calls to one product that wait for a turn; one more is refused. Default 1,000. */
  readonly maxQueued?: number
  /** Told once of each product whose version comes to an end, however many calls say so; a place to write a warning.
   *  What it throws, the call throws. */
  readonly onVersionEnd?: (end: VersionEnd & { readonly partner: string; readonly product: string }) => void
  /** The surroundings; those of the platform where left out. */
  readonly fetch?: Fetch
  readonly clock?: Clock
  readonly random?: RandomBytes
  readonly sleep?: Sleep
}

/** Give the `paths` type that openapi-typescript generates, or none. All products of the same partner and id share one
 *  pace. */
export interface ComityClient {
  product(partner: string, product: string, settings?: CallSettings): Product
  product<Paths extends object>(partner: string, product: string, settings?: CallSettings): TypedProduct<Paths>
  /** Reads several operations at once, of one partner or of several, at most 16: each part, under a name of your choice,
   *  has its own answer or its own error. Throws `ComityError` when the whole is refused. */
  composite<Asked extends Readonly<Record<string, CompositePart>>>(
    parts: Asked,
    options?: CompositeOptions,
  ): Promise<CompositeAnswer<keyof Asked & string>>
  /** Renews the API key now; resolves when another one is in use, or where there is none yet. Throws `ComityError` where it
   *  was not renewed: `key-rotation-refused` and what else the node answered, also before where it asked to be left alone,
   *  and `invalid-call` without a key in a store, or when that cannot be read or written. */
  renew(): Promise<void>
  /** Resolves when a renewal of the API key that is due or under way is over; never rejects. For a program that ends
   *  itself (`process.exit`): calls may still be made. */
  close(): Promise<void>
}

/** Makes a client. Opens nothing; throws `ComityError` `invalid-call` for options that cannot be used. */
export function createComityClient(options: ClientOptions): ComityClient {
  const node = parseNodeAddress(options.node)
  const headers = checkFields(options.headers ?? {})
  const world = worldOf(options)
  const credential = credentialOf(options, headers, { node, world })
  const pacing = {
    maxConcurrent: positive('maxConcurrent', options.maxConcurrent ?? 16),
    maxQueued: options.maxQueued ?? 1_000,
  }
  const pacers = new Map<string, Pacer>()
  const told = new Set<string>()
  const pacerOf = (key: string): Pacer => {
    const pacer = pacers.get(key) ?? new Pacer(pacing, world)
    pacers.set(key, pacer)
    return pacer
  }
  return {
    product(partner: string, product: string, settings: CallSettings = {}): Product & TypedProduct<object> {
      const address = productAddress(node, partner, product)
      const pacer = pacerOf(address)
      const onVersionEnd = (end: VersionEnd) => {
        if (told.has(address)) return
        told.add(address)
        options.onVersionEnd?.({ ...end, partner, product })
      }
      return createProduct({
        address,
        headers,
        credential,
        settings: { ...options, ...settings },
        pacer,
        onVersionEnd,
        world,
      })
    },
    composite: (parts, settings) =>
      askComposite(
        { node, headers, credential, settings: options, pacer: pacerOf(productsIn(parts)), world },
        parts,
        settings,
      ),
    async renew() {
      if (credential === undefined) throw invalidCall('there is no `apiKey` to renew')
      await credential.renew()
    },
    close: async () => credential?.settled(),
  }
}

/** Throws `invalid-call` for two credentials. */
function credentialOf(
  { apiKey }: ClientOptions,
  headers: Readonly<Record<string, string>>,
  { node, world }: { readonly node: string; readonly world: World },
): Credential | undefined {
  if (apiKey === undefined) return undefined
  if (headers['authorization'] !== undefined || headers['x-api-key'] !== undefined) {
    throw invalidCall('`headers` hold a credential beside `apiKey`')
  }
  return apiKeyCredential(apiKey, { send: presenting(world.fetch), renewal: `${node}/~keys/renewal`, world })
}

/** Composites of the same products share one pace, since their answers announce the limits of those. */
function productsIn(parts: Readonly<Record<string, CompositePart>>): string {
  const names = Object.values(parts).map(({ partner, product }) => JSON.stringify([partner, product]))
  return [...new Set(names)].toSorted().join(' ')
}

function worldOf({ fetch, clock, random, sleep }: ClientOptions): World {
  return {
    fetch: fetch ?? platform.fetch,
    clock: clock ?? platform.clock,
    random: random ?? platform.random,
    sleep: sleep ?? platform.sleep,
    idle: sleep ?? platform.idle,
  }
}
