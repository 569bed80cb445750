/** Loads `comity.yaml`: every mistake at once, or a frozen configuration. It holds no secret, only where secrets are. */
import { dirname, resolve } from 'node:path'
import type { Problem } from '@comity/core/problems'
import { readConfigFile, type ConfigFile } from './config-file.ts'
import { configSchema, type ConfigValues } from './config-schema.ts'
import { namesAt } from './config-names.ts'
import { crossChecks } from './cross-checks.ts'
import type { Environment } from './environment.ts'
import { draftOf } from './draft.ts'
import { configProblem, mistakesOf, type Mistake } from './mistakes.ts'
import { placeMistakes } from './places.ts'

/** A configuration that is fit to run. All paths are absolute. */
export type Config = DeepReadonly<ConfigValues> & {
  /** The file it came from. */
  readonly file: string
  /** The folder that relative paths and secrets' files start from. */
  readonly directory: string
}

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

export interface LoadOptions {
  /** False for commands that need neither the keys nor the other secrets. True when left out. */
  readonly needsSecrets?: boolean
}

/** Reads and checks the whole file. Throws `config-invalid` with one entry in `errors` for each mistake
 *  (`path`, `line`, `message`). */
export async function loadConfig(path: string, environment: Environment, options: LoadOptions = {}): Promise<Config> {
  return checkConfig(await readConfigFile(path), environment, options)
}

/** Checks a file that was read. Throws like `loadConfig`. */
export async function checkConfig(
  { path, file, document }: ConfigFile,
  environment: Environment,
  options: LoadOptions = {},
): Promise<Config> {
  if (document.mistakes.length > 0) throw syntaxProblem(path, document.mistakes)
  const parsed = configSchema.safeParse(document.value)
  const draft = parsed.success ? parsed.data : draftOf(document.value, parsed.error.issues)
  const places = { directory: dirname(file), environment, needsSecrets: options.needsSecrets ?? true }
  const mistakes = [
    ...(parsed.success ? [] : mistakesOf(parsed.error.issues, namesAt)),
    ...crossChecks(draft),
    ...(await placeMistakes(draft, places)),
  ]
  if (!parsed.success || mistakes.length > 0) throw configProblem(path, mistakes, document.lineOf)
  return deepFreeze(resolvePaths(parsed.data, file))
}

function syntaxProblem(file: string, mistakes: readonly (Mistake & { readonly line: number })[]): Problem {
  const lines = new Map(mistakes.map((mistake) => [mistake.path, mistake.line]))
  return configProblem(file, mistakes, (path) => lines.get(path) ?? 0)
}

/** A listener under an address that others know. */
interface Outward {
  readonly url: string
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

function resolvePaths(values: ConfigValues, file: string): Config {
  const directory = dirname(file)
  const absolute = (path: string) => resolve(directory, path)
  const { people } = values.listen
  const outward = <T extends Outward>({ tls, ...listener }: T) => ({
    ...listener,
    url: new URL(listener.url).origin,
    ...(tls === undefined ? {} : { tls: { cert: absolute(tls.cert), key: absolute(tls.key) } }),
  })
  return {
    ...values,
    file,
    directory,
    listen: {
      ...values.listen,
      public: outward(values.listen.public),
      ...(people === undefined ? {} : { people: outward(people) }),
    },
    keys: {
      ...values.keys,
      directory: absolute(values.keys.directory),
      ...(values.keys.keyFile === undefined ? {} : { keyFile: absolute(values.keys.keyFile) }),
    },
    storage: { directory: absolute(values.storage.directory) },
    log: { directory: absolute(values.log.directory) },
    receipts: { directory: absolute(values.receipts.directory) },
    ...policyAt(values, absolute),
    products: values.products.map((product) => ({ ...product, openapi: absolute(product.openapi) })),
  }
}

function policyAt({ policy }: ConfigValues, absolute: (path: string) => string): Pick<ConfigValues, 'policy'> {
  if (policy?.directory === undefined) return policy === undefined ? {} : { policy }
  return { policy: { ...policy, directory: absolute(policy.directory) } }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
