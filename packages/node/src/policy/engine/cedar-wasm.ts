/** Cedar's own implementation in WebAssembly, loaded only when asked for: it takes 0.2 s and 30 MB. */
import { createRequire } from 'node:module'
import type * as cedarWasm from '@cedar-policy/cedar-wasm/nodejs'

/** What the package offers. */
export type Cedar = typeof cedarWasm

/** Version of the package; what it said of a set it would say again. */
export const cedarVersion = '4.13.0'

const require = createRequire(import.meta.url)
const packageFile = '@cedar-policy/cedar-wasm/nodejs'

/** The instance of this thread. */
export function loadCedar(): Cedar {
  return require(packageFile) as Cedar
}

/** A new instance, after the former one ran out of its stack: what it holds since then is not to be trusted. */
export function reloadCedar(): Cedar {
  delete require.cache[require.resolve(packageFile)]
  return loadCedar()
}
