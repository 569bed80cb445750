/** Rules that bind several entries of a configuration to each other. Pure: what is on the disk is not looked at. */
import { resolve } from 'node:path'
import { didWebOfUrl } from '@comity/core/identity/did-web'
import { sealingAlgorithms } from '@comity/core/sealing/sealing-algorithms'
import ipaddr from 'ipaddr.js'
import { labelledFaults, type SettingsDraft } from '../products/labels/personal-config.ts'
import { versionFaults } from '../products/versions.ts'
import type { Draft } from './draft.ts'
import { limitMistakes } from './limit-checks.ts'
import type { ConfigPath, Mistake } from './mistakes.ts'

/** Every mistake that no single entry shows. Entries that are absent are somebody else's to report. */
export function crossChecks(config: Draft): Mistake[] {
  const products = config.products ?? []
  const partners = config.partners ?? []
  return [
    ...didMistakes(config),
    ...portMistakes(config),
    ...exposureMistakes(config),
    ...versionFaults(products).map(({ index, path, message }) => ({ path: ['products', index, path], message })),
    ...duplicates(partners, ['partners', 'alias'], ({ alias }) => alias),
    ...duplicates(partners, ['partners', 'did'], ({ did }) => did),
    ...duplicates(config.webhooks ?? [], ['webhooks', 'url'], ({ url }) => url),
    ...duplicates(config.replicas ?? [], ['replicas', 'product'], ({ partner, product }) =>
      replicaName(partner, product),
    ),
    ...products.flatMap(labelMistakes),
    ...partnerMistakes(config),
    ...sealingMistakes(config),
    ...folderMistakes(config),
    ...limitMistakes(config),
  ]
}

/** A did:web is an address, and must be the one that the node is reached at. */
function didMistakes({ participant, listen }: Draft): Mistake[] {
  const url = listen?.public?.url
  const did = participant?.did
  if (url === undefined || did?.startsWith('did:web:') !== true) return []
  const expected = didOfUrl(url)
  if (expected === did) return []
  const message =
    expected === undefined
      ? 'cannot be the address of a did:web, which needs a host name'
      : `is the address of \`${expected}\`, but \`participant.did\` is \`${did}\``
  return [{ path: ['listen', 'public', 'url'], message }]
}

function didOfUrl(url: string): string | undefined {
  try {
    return didWebOfUrl(url)
  } catch {
    return undefined
  }
}

const listenerNames = ['public', 'local', 'admin', 'people'] as const

function portMistakes({ listen }: Draft): Mistake[] {
  return listenerNames.flatMap((name, index) => {
    const taken = listenerNames.slice(0, index).find((other) => collide(listen?.[name], listen?.[other]))
    if (taken === undefined) return []
    return [{ path: ['listen', name, 'port'], message: `is the port of \`listen.${taken}\` too` }]
  })
}

interface Endpoint {
  readonly address?: string | undefined
  readonly port?: number | undefined
}

/** Port 0 asks the system for a free one. */
function collide(a: Endpoint | undefined, b: Endpoint | undefined): boolean {
  if (a?.port === undefined || a.port === 0 || a.port !== b?.port) return false
  return a.address === b.address || isAny(a.address) || isAny(b.address)
}

function isAny(address: string | undefined): boolean {
  return address !== undefined && ipaddr.parse(address).range() === 'unspecified'
}

/** These listeners speak plain HTTP, the people's without `tls`: beyond this machine, anybody on the way could listen in. */
function exposureMistakes({ listen }: Draft): Mistake[] {
  return (['local', 'admin', 'people'] as const).flatMap((name) => {
    const { address, allowInsecureRemote } = listen?.[name] ?? {}
    const isEncrypted = name === 'people' && listen?.people?.tls !== undefined
    if (address === undefined || allowInsecureRemote === true || isEncrypted) return []
    if (ipaddr.process(address).range() === 'loopback') return []
    const message =
      'is reachable from other machines over plain HTTP; use `127.0.0.1`, or say `allowInsecureRemote: true`'
    return [{ path: ['listen', name, 'address'], message }]
  })
}

function duplicates<T>(
  items: readonly T[],
  [list, key]: readonly [string, string],
  keyOf: (item: T) => string | undefined,
): Mistake[] {
  const keys = items.map(keyOf)
  return keys.flatMap((name, index) => {
    const first = keys.indexOf(name)
    if (name === undefined || first === index) return []
    return [{ path: [list, index, key], message: `\`${name}\` is taken by \`${list}[${first}]\`` }]
  })
}

/** One product of one partner has one rule. */
function replicaName(partner: string | undefined, product: string | undefined): string | undefined {
  return partner === undefined || product === undefined ? undefined : `${partner}/${product}`
}

function labelMistakes(product: SettingsDraft, index: number): Mistake[] {
  return labelledFaults(product).map(({ path, message }) => ({ path: ['products', index, ...path], message }))
}

function partnerMistakes({ partners = [], participant }: Draft): Mistake[] {
  return partners.flatMap(({ did, url }, index) => {
    const at = (key: string): ConfigPath => ['partners', index, key]
    if (did === undefined) return []
    if (did === participant?.did) return [{ path: at('did'), message: 'is the participant itself' }]
    if (url !== undefined || did.startsWith('did:web:')) return []
    return [{ path: at('url'), message: 'is missing; only a did:web tells the address by itself' }]
  })
}

/** What a product or partner is sealed with is within the node's policy. A did:key publishes no key agreement keys, so
 *  nobody can seal to it. */
function sealingMistakes({ participant, sealing, products = [], partners = [] }: Draft): Mistake[] {
  const allowed = sealing?.algorithms ?? sealingAlgorithms
  const isDidKey = participant?.did?.startsWith('did:key:') === true
  const sections = [
    ...products.map((product, index) => ({ path: ['products', index, 'sealing'], set: product.sealing })),
    ...partners.map((partner, index) => ({ path: ['partners', index, 'sealing'], set: partner.sealing })),
  ]
  return sections.flatMap(({ path, set }) => {
    const others = (set?.algorithms ?? []).filter((name) => !allowed.includes(name))
    const sealedToUs = path[0] === 'products' ? 'requests' : 'answers'
    const mode = set?.[sealedToUs]
    const isImpossible = isDidKey && (mode === 'required' || (path[0] === 'products' && mode === 'offered'))
    return [
      ...others.map((name) => ({
        path: [...path, 'algorithms'],
        message: `\`${name}\` is not one of \`sealing.algorithms\``,
      })),
      ...(isImpossible
        ? [{ path: [...path, sealedToUs], message: 'cannot be: a did:key has no key that others could seal to' }]
        : []),
    ]
  })
}

/** The log's folder is served as it lies on the disk; nothing secret may lie inside, nor the
 *  rules of who is refused. */
function folderMistakes({ log, keys, storage, policy }: Draft): Mistake[] {
  const outer = log?.directory
  return (['keys', 'storage', 'policy'] as const).flatMap((name) => {
    const inner = { keys, storage, policy }[name]?.directory
    if (inner === undefined || outer === undefined || !isInside(inner, outer)) return []
    return [{ path: [name, 'directory'], message: 'lies in the folder of the log, which everybody may read' }]
  })
}

function isInside(inner: string, outer: string): boolean {
  return `${resolve('/', inner)}/`.startsWith(`${resolve('/', outer)}/`)
}
