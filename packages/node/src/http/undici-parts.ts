/** The two classes of undici that the node uses. Its main module also loads fetch, WebSocket and caches: 15 MB and
 *  50 ms that no exchange needs. The pinned version is checked by a test that a changed inside would fail. */
import { createRequire } from 'node:module'
import type * as undici from 'undici'

const require = createRequire(import.meta.url)

// The main module adds its ways to call to the prototype when it is loaded; `request` is the one that is used here.
const Dispatcher = require('undici/lib/dispatcher/dispatcher.js') as { prototype: object }
Object.assign(Dispatcher.prototype, { request: require('undici/lib/api/api-request.js') as undici.Client['request'] })

/** A pool of connections to one origin. */
export const Pool = require('undici/lib/dispatcher/pool.js') as typeof undici.Pool

/** One connection to one origin. */
export const Client = require('undici/lib/dispatcher/client.js') as typeof undici.Client

export type Pool = undici.Pool
export type Client = undici.Client
