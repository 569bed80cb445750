/** `@fastify/http-proxy` as its documentation sets it up. Arguments: the upstream's port. */

import httpProxy from '@fastify/http-proxy'
import { fastify } from 'fastify'
import type { AddressInfo } from 'node:net'
import { endWithParent } from '../processes.ts'

const server = fastify({ keepAliveTimeout: 120_000 })
server.register(httpProxy, { upstream: `http://127.0.0.1:${process.argv[2]}` })
endWithParent()
await server.listen({ port: 0, host: '127.0.0.1' })
console.log(JSON.stringify({ port: (server.server.address() as AddressInfo).port }))
