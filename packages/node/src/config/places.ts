/** Checks that the files and secrets which a configuration points to are there. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Draft } from './draft.ts'
import type { Environment } from './environment.ts'
import type { ConfigPath, Mistake } from './mistakes.ts'
import { secretFault, secretReferenceSchema } from './secret.ts'

/** Where to look. */
export interface Places {
  /** Folder that relative paths start from. */
  readonly directory: string
  readonly environment: Environment
  readonly needsSecrets: boolean
}

/** One mistake for each file and secret that cannot be had. Contents are not judged. */
export async function placeMistakes(config: Draft, places: Places): Promise<Mistake[]> {
  const files = filePlaces(config).map(({ path, place }) => fileMistake(path, place, places.directory))
  const folders = [folderMistake(['policy', 'directory'], config.policy?.directory, places.directory)]
  const secrets = places.needsSecrets ? secretPlaces(config).map((entry) => secretMistake(entry, places)) : []
  return (await Promise.all([...files, ...folders, ...secrets])).flat()
}

interface Place {
  readonly path: ConfigPath
  readonly place: unknown
}

function filePlaces({ products = [], listen }: Draft): Place[] {
  return [
    ...products.map(({ openapi }, index) => ({ path: ['products', index, 'openapi'], place: openapi })),
    ...(['public', 'people'] as const).flatMap((listener) =>
      (['cert', 'key'] as const).map((name) => ({
        path: ['listen', listener, 'tls', name],
        place: listen?.[listener]?.tls?.[name],
      })),
    ),
  ]
}

async function fileMistake(path: ConfigPath, file: unknown, directory: string): Promise<Mistake[]> {
  if (typeof file !== 'string') return []
  const found = await stat(resolve(directory, file)).catch(() => undefined)
  return found?.isFile() === true ? [] : [{ path, message: `there is no file \`${file}\`` }]
}

async function folderMistake(path: ConfigPath, folder: unknown, directory: string): Promise<Mistake[]> {
  if (typeof folder !== 'string') return []
  const found = await stat(resolve(directory, folder)).catch(() => undefined)
  return found?.isDirectory() === true ? [] : [{ path, message: `there is no folder \`${folder}\`` }]
}

function secretPlaces({ keys, admin, telemetry, limits, products = [], webhooks = [] }: Draft): Place[] {
  const store = limits?.store
  const traceHeaders = Object.entries(telemetry?.traces?.headers ?? {})
  const upstreamHeaders = products.flatMap(({ upstreamHeaders: fields }, index) =>
    Object.entries(fields ?? {}).map(([name, place]) => ({
      path: ['products', index, 'upstreamHeaders', name],
      place,
    })),
  )
  return [
    { path: ['keys', 'passphrase'], place: keys?.passphrase },
    { path: ['keys', 'keyFile'], place: { file: keys?.keyFile } },
    { path: ['admin', 'token'], place: admin?.token },
    { path: ['limits', 'store', 'redis', 'url'], place: typeof store === 'object' ? store.redis?.url : undefined },
    ...traceHeaders.map(([name, place]) => ({ path: ['telemetry', 'traces', 'headers', name], place })),
    ...upstreamHeaders,
    ...webhooks.map(({ secret }, index) => ({ path: ['webhooks', index, 'secret'], place: secret })),
  ]
}

/** What is not a reference is either a literal value or a mistake that the schema told already. */
async function secretMistake({ path, place }: Place, { environment, directory }: Places): Promise<Mistake[]> {
  const reference = secretReferenceSchema.safeParse(place)
  if (!reference.success) return []
  const message = await secretFault(reference.data, environment, directory)
  return message === undefined ? [] : [{ path, message }]
}
