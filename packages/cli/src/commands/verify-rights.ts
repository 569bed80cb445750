/** `comity verify rights`: the signed answer to a person's request, offline, with everything in it that proves itself. */
import { counted } from '@comity/core/bytes/counted'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { findVerificationMethod, type DidDocument } from '@comity/core/identity/did-document'
import { parseDid } from '@comity/core/identity/did'
import { Problem } from '@comity/core/problems'
import { checkRightsDocuments } from '@comity/core/rights/rights-documents'
import { parseRightsBundle, verifyRightsBundle } from '@comity/core/rights/rights-bundle'
import { colors } from '../colors.ts'
import { show, type CommandContext } from '../command-context.ts'
import { readJsonPlace } from '../read-place.ts'
import { holderDocument, readDidDocument } from './verify.ts'

export async function verifyRights(
  context: CommandContext,
  file: string,
  options: { readonly didDocument?: readonly string[] },
): Promise<void> {
  const value = await readJsonPlace(file)
  const { manifest, kid, documents } = parseRightsBundle(value)
  const given = await Promise.all((options.didDocument ?? []).map(readDidDocument))
  const document = await documentOfIssuer(manifest.iss, given)
  verifyRightsBundle(value, (id, atMs) =>
    importVerifyingKey(findVerificationMethod(document, id, { purpose: 'assertionMethod', atMs }).jwk),
  )
  const names = Object.keys(documents)
  const found = checkRightsDocuments(documents, { signedMs: manifest.iat * 1000, holder: document, debtors: given })
  const checks = [
    `signed by ${kid}: ${manifest.type}, ${manifest.status}`,
    `${counted(names.length, 'document')} as signed`,
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

/** The document that the issuer's DID itself carries, or the one of those that are given. */
async function documentOfIssuer(did: string, given: readonly DidDocument[]): Promise<DidDocument> {
  const { method } = parseDid(did)
  if (given.length === 0 || method === 'key' || method === 'jwk') return holderDocument(did, undefined)
  const own = given.find(({ id }) => id === did)
  if (own !== undefined) return own
  const ids = given.map(({ id }) => `\`${id}\``).join(', ')
  throw new Problem('proof-invalid', `the bundle is of \`${did}\`, the documents are of ${ids}`)
}
