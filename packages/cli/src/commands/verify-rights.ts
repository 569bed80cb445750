/** `comity verify rights`: the signed answer to a person's request, offline, with everything in it that proves itself. */
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { findVerificationMethod } from '@comity/core/identity/did-document'
import { Problem } from '@comity/core/problems'
import { checkRightsDocuments } from '@comity/core/rights/rights-documents'
import { parseRightsBundle, verifyRightsBundle } from '@comity/core/rights/rights-bundle'
import colors from 'picocolors'
import { show, type CommandContext } from '../command-context.ts'
import { readJsonPlace } from '../read-place.ts'
import { holderDocument } from './verify.ts'

export async function verifyRights(
  context: CommandContext,
  file: string,
  options: { readonly didDocument?: string },
): Promise<void> {
  const value = await readJsonPlace(file)
  const { manifest, kid, documents } = parseRightsBundle(value)
  const document = await holderDocument(manifest.iss, options.didDocument)
  if (document.id !== manifest.iss)
    throw new Problem('proof-invalid', `the bundle is of \`${manifest.iss}\`, the document of \`${document.id}\``)
  verifyRightsBundle(value, (id, atMs) =>
    importVerifyingKey(findVerificationMethod(document, id, { purpose: 'assertionMethod', atMs }).jwk),
  )
  const names = Object.keys(documents)
  const found = checkRightsDocuments(documents, document)
  const checks = [
    `signed by ${kid}: ${manifest.type}, ${manifest.status}`,
    `${names.length} documents as they were signed`,
    ...found.checks,
  ]
  const isGood = found.failures.length === 0
  if (!isGood) context.fail()
  const { request, type, status } = manifest
  show(context, { ok: isGood, request, type, status, documents: names, ...found, checks }, () => [
    ...checks.map((check) => `${colors.green('✓')} ${check}`),
    ...found.failures.map((failure) => `${colors.red('✗')} ${failure}`),
    ...found.cautions.map((caution) => colors.yellow(`! ${caution}`)),
  ])
}
