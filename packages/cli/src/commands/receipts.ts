/** `comity receipts`: list, and export what proves an exchange to files. */
import { mkdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { EvidenceExport, ReceiptView } from '@comity/node/admin/admin-api'
import { loadConfig } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import { colors } from '../colors.ts'
import { connect, show, writeTextFile, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

const pageSize = 500

export async function listReceipts(context: CommandContext, { limit }: { readonly limit: number }): Promise<void> {
  const receipts = await (await connect(context)).get<ReceiptView[]>(`/v1/receipts?limit=${limit}`)
  const rows = receipts.map((receipt) => [
    receipt.id,
    receipt.role,
    receipt.peer ?? '',
    receipt.product,
    receipt.operation ?? '',
    String(receipt.status),
    new Date(receipt.timeMs).toISOString(),
  ])
  show(context, receipts, () => table([['id', 'as', 'with', 'product', 'operation', 'status', 'time'], ...rows]))
}

async function allIds(context: CommandContext): Promise<string[]> {
  const client = await connect(context)
  const ids: string[] = []
  for (let before = ''; ;) {
    const page = await client.get<ReceiptView[]>(`/v1/receipts?limit=${pageSize}${before && `&before=${before}`}`)
    ids.push(...page.map(({ id }) => id))
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return ids
    before = last.id
  }
}

/** Writes `<id>.jws` (the receipt) and `<id>.json` (the evidence, for `comity verify exchange`). */
export async function exportReceipts(
  context: CommandContext,
  id: string | undefined,
  { dir }: { readonly dir?: string },
): Promise<void> {
  const config = await loadConfig(context.configFile, readEnvironment(), { needsSecrets: false })
  const directory = dir === undefined ? config.receipts.directory : resolve(dir)
  await mkdir(directory, { recursive: true })
  const client = await connect(context)
  const files: string[] = []
  const missing: string[] = []
  for (const each of id === undefined ? await allIds(context) : [id]) {
    const exported = await client.get<EvidenceExport>(`/v1/exchanges/${encodeURIComponent(each)}/evidence`)
    const stem = join(directory, basename(exported.id))
    await writeTextFile(`${stem}.jws`, `${exported.evidence.receipt}\n`)
    await writeTextFile(`${stem}.json`, `${JSON.stringify(exported.evidence, null, 2)}\n`)
    files.push(`${stem}.json`)
    missing.push(...exported.missing.map((part) => `${exported.id} lacks ${part}`))
  }
  show(context, { files, missing }, () => [
    ...files.map((file) => `wrote ${file}`),
    ...(files.length === 0 ? [] : ['beside each the receipt alone, as .jws']),
    ...missing.map((part) => colors.yellow(`! ${part}`)),
  ])
}
