/** Reads evidence from where the user says it is: a file, a directory or an https address. */
import { readFile } from 'node:fs/promises'
import { get } from 'node:https'
import { join } from 'node:path'
import { parseJson } from '@comity/core/bytes/json'
import { utf8Text } from '@comity/core/bytes/utf8'
import { Problem } from '@comity/core/problems'

const maxBytes = 16 * 1024 * 1024
const timeoutMs = 15_000

export interface FetchTrust {
  /** True when what is fetched is verified by its own signature, so that the connection need not be trusted. */
  readonly allowUntrustedTls: boolean
}

/** What a TLS connection fails with because of the certificate. */
const certificateErrors = /CERT|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH/

function failure(url: string, cause: Error & { readonly code?: string }): Problem {
  if (certificateErrors.test(cause.code ?? '')) {
    const detail =
      `no authority vouches for the certificate of \`${url}\`, and what is there does not prove itself: fetch it, ` +
      'compare it with its owner, and give the file'
    return new Problem('malformed-request', detail, { cause })
  }
  return new Problem('partner-unreachable', `\`${url}\` cannot be read: ${cause.message || cause.code}`, { cause })
}

/** A body from an https address, or undefined for 404. Throws `partner-unreachable`; `malformed-request` when no
 *  authority vouches for the address and one must. */
export function fetchBytes(url: string, { allowUntrustedTls }: FetchTrust): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(failure(url, cause))
    if (!URL.canParse(url)) return fail(new Error('not an address'))
    const request = get(url, { rejectUnauthorized: !allowUntrustedTls, timeout: timeoutMs }, (answer) => {
      if (answer.statusCode === 404) return resolve(void answer.resume() as undefined)
      if (answer.statusCode !== 200) return fail(new Error(`status ${answer.statusCode}`))
      const chunks: Buffer[] = []
      let size = 0
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxBytes) answer.destroy(new Error('too large'))
        else chunks.push(chunk)
      })
      answer.on('end', () => resolve(Buffer.concat(chunks)))
      answer.on('error', fail)
    })
    request.on('timeout', () => request.destroy(new Error('timed out')))
    request.on('error', fail)
  })
}

/** True for what is fetched rather than read from disk. */
export function isUrl(place: string): boolean {
  return place.startsWith('https://')
}

function refuseOtherAddresses(place: string): void {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(place) || isUrl(place)) return
  throw new Problem('malformed-request', `\`${place}\` is not read: give a file or an \`https://\` address`)
}

/** Bytes of a file or address. Throws `malformed-request` when there is none. */
export async function readPlace(place: string, trust: FetchTrust): Promise<Uint8Array> {
  refuseOtherAddresses(place)
  const bytes = isUrl(place) ? await fetchBytes(place, trust) : await readFileIfThere(place)
  if (bytes === undefined) throw new Problem('malformed-request', `there is nothing at \`${place}\``)
  return bytes
}

/** Text of a file or address whose content proves itself: a receipt, a checkpoint, evidence. */
export async function readTextPlace(place: string): Promise<string> {
  return utf8Text(await readPlace(place, { allowUntrustedTls: true }))
}

/** The JSON value there, likewise. Throws `malformed-request` when it is none, or has a member twice: who reads the file
 *  might see another than was verified. */
export async function readJsonPlace(place: string): Promise<unknown> {
  const text = await readTextPlace(place)
  try {
    return parseJson(text)
  } catch (cause) {
    throw new Problem('malformed-request', `\`${place}\` is not JSON with distinct members`, { cause })
  }
}

async function readFileIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new Problem('malformed-request', `\`${path}\` cannot be read`, { cause: error })
  }
}

/** Reads a log's files below a directory or a URL. */
export function logSourceOf(place: string): { read: (path: string) => Promise<Uint8Array | undefined> } {
  refuseOtherAddresses(place)
  if (!isUrl(place)) return { read: (path) => readFileIfThere(join(place, path)) }
  const base = place.endsWith('/') ? place : `${place}/`
  // Checkpoint and tiles are verified by the log's key; who carried them does not matter.
  return { read: (path) => fetchBytes(base + path, { allowUntrustedTls: true }) }
}
