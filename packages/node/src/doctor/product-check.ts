/** Checks the products: that their documents can be used, and that something answers at their upstreams. */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { counted } from '@comity/core/bytes/counted'
import { compileProduct } from '../products/product.ts'
import { loadOpenApi } from '../products/openapi/openapi.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { bad, caution, describeError, good, type Finding } from './finding.ts'

const timeoutMs = 5_000

export async function checkProducts({
  config,
  running,
}: Pick<DoctorOptions, 'config' | 'running'>): Promise<Finding[]> {
  const findings = await Promise.all(
    config.products.map(async ({ id, openapi, upstream }) => [
      ...(await checkDocument(`product ${id}`, openapi)),
      await checkUpstream(`upstream ${id}`, upstream),
    ]),
  )
  const added = running?.addedProducts ?? 0
  if (added === 0) return findings.flat()
  const unchecked = caution(
    'upstream',
    `products that were added while the node runs are not checked (${added})`,
    'look at /metrics',
  )
  return [...findings.flat(), unchecked]
}

async function checkDocument(check: string, path: string): Promise<Finding[]> {
  try {
    const { operations } = compileProduct(await loadOpenApi(path), { whole: true })
    return [good(check, counted(operations.length, 'operation'))]
  } catch (error) {
    return [bad(check, describeError(error), `correct ${path}`)]
  }
}

/** Only connects: a request could mean something to the API. */
async function checkUpstream(check: string, upstream: string): Promise<Finding> {
  const url = new URL(upstream)
  try {
    await connects(url)
    return good(check, `${url.host} takes connections`)
  } catch (error) {
    return bad(check, `${url.host}: ${describeError(error)}`, 'start the API, or correct the `upstream` of the product')
  }
}

function connects(url: URL): Promise<void> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const isTls = url.protocol === 'https:'
  const port = Number(url.port === '' ? (isTls ? 443 : 80) : url.port)
  return new Promise((resolve, reject) => {
    const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
    const socket: Socket = isTls ? connectTls({ host, port, ...servername }) : connectTcp({ host, port })
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      resolve()
      socket.destroy()
    })
    socket.on('error', (error) => reject(firstError(error)))
  })
}

/** A connection to several addresses fails with one error for each. */
function firstError(error: Error): Error {
  const [first] = error instanceof AggregateError ? error.errors : [error]
  return first instanceof Error ? first : error
}
