/** A key for whoever has no node leaks, is found in a file, and ends. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApiKeyView, IssuedKeyView } from '@comity/node/admin/client-api'
import { call, expectJson, expectRefusal, type Answer } from '../../stage/calls.ts'
import { comityOf, findingsOf } from '../../stage/participant.ts'
import { atFederation, type Cast, type Scene } from '../cast.ts'

interface Scanned {
  readonly findings: readonly {
    readonly path: string
    readonly line: number
    readonly excerpt: string
    readonly apiKey?: { readonly id: string; readonly state: string }
  }[]
}

export const leak: Scene = async (cast, report) => {
  const { key, id } = await report.step('a key for a dashboard', () => issue(cast))
  await report.attempt('it leaks', () => copyIntoSource(cast, key))
  await report.attempt('the scan finds it', () => scan(cast, id))
  await report.attempt('revoked', async () => {
    const { state } = await comityOf<ApiKeyView>(cast.federation, 'api-keys', 'revoke', id, '--reason', 'leaked')
    return { detail: `${id} is ${state}`, value: undefined }
  })
  await report.attempt("the thief's next call", async () =>
    expectRefusal(await withKey(cast, key), { status: 401, code: 'key-revoked' }),
  )
}

function withKey(cast: Cast, key: string): Promise<Answer> {
  const url = atFederation(cast, 'electricity/generation?year=2017&source=Renewables')
  return call(url, { headers: { 'x-api-key': key }, fingerprint: cast.federation.fingerprint })
}

async function issue(cast: Cast) {
  const { federation } = cast
  await comityOf(federation, 'clients', 'add', 'dashboard', '--name', 'Dashboard of the city', '--kind', 'device')
  const issued = await comityOf<IssuedKeyView>(federation, 'api-keys', 'issue', 'dashboard', '--product', 'electricity')
  const rows = expectJson<unknown[]>(await withKey(cast, issued.key))
  return {
    detail: `${issued.id}, for electricity alone; the first call, without a node, 200 with ${rows.length} row`,
    note: `${issued.key.slice(0, 14)}…, shown this once; the node keeps a keyed hash`,
    value: issued,
  }
}

const folderOf = ({ root }: Cast): string => join(root, 'dashboard')

async function copyIntoSource(cast: Cast, key: string) {
  await mkdir(folderOf(cast), { recursive: true })
  const file = join(folderOf(cast), 'settings.js')
  await writeFile(file, `export const title = 'Electricity'\nexport const key = '${key}'\n`)
  return { detail: 'somebody wrote it into settings.js', value: undefined }
}

async function scan(cast: Cast, id: string) {
  const { findings } = await findingsOf<Scanned>(cast.federation, 'scan', folderOf(cast))
  const [found] = findings
  if (findings.length !== 1 || found?.apiKey?.id !== id) throw new Error(`the scan found ${findings.length} secrets`)
  return {
    detail: `${found.path}:${found.line} ${found.excerpt}`,
    note: `its checksum is right, and the node says that it is ${found.apiKey.state}`,
    value: undefined,
  }
}
