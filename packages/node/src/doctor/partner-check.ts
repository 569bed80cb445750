/** Checks that each partner's node can be reached, holds a TLS key that is trusted, and can be identified. */
import { createDocumentSource } from '../identity/document-source.ts'
import { tlsFingerprints } from '../identity/tls-keys.ts'
import type { ClockSample } from './clock-check.ts'
import { trustIn, type DoctorOptions, type PartnerFacts } from './doctor-options.ts'
import { bad, caution, codeOf, describeError, good, type Finding } from './finding.ts'
import { probeNode } from './probe.ts'
import { checkSealing } from './sealing-check.ts'

export interface CheckedPartner {
  readonly findings: readonly Finding[]
  readonly clock: ClockSample | undefined
}

type Options = Pick<DoctorOptions, 'fetch' | 'clock' | 'running'>

export async function checkPartner(options: Options, partner: PartnerFacts): Promise<CheckedPartner> {
  const check = `partner ${partner.alias}`
  try {
    const { alias, url } = partner
    const probe = await probeNode(options, { name: alias, url, trust: trustIn(partner) })
    if (probe.status !== 200) {
      const remedy = 'ask the partner whether this is the address of its node'
      return { findings: [bad(check, `${url} answers /healthz with ${probe.status}`, remedy)], clock: probe.clock }
    }
    return { findings: await checkIdentity(check, options, partner), clock: probe.clock }
  } catch (error) {
    return { findings: [unreachable(check, options, { partner, error })], clock: undefined }
  }
}

async function checkIdentity(check: string, { fetch, clock }: Options, partner: PartnerFacts): Promise<Finding[]> {
  const { did, url, fingerprints } = partner
  const trust = fingerprints.length > 0 ? 'by its fingerprint' : 'by a public authority'
  const source = createDocumentSource({ fetch, trustFor: () => ({ url, fingerprints }) })
  try {
    const document = await source(did)
    const named = tlsFingerprints(document)
    const isComputed = !did.startsWith('did:web:')
    if (isComputed || fingerprints.length === 0 || named.some((key) => fingerprints.includes(key))) {
      const reached = good(check, `reached at ${url}, trusted ${trust}`)
      const sealing = checkSealing(document, partner, clock.now())
      return sealing.length > 0 ? sealing : [reached]
    }
    const remedy = 'ask the partner for the fingerprint of now: its next rotation cannot be followed'
    return [caution(check, 'its DID document names none of the TLS keys that are trusted', remedy)]
  } catch (error) {
    const remedy = 'ask the partner to run `comity doctor`'
    return [bad(check, `reached, but not identified: ${describeError(error)}`, remedy)]
  }
}

interface Failure {
  readonly partner: PartnerFacts
  readonly error: unknown
}

function unreachable(check: string, { running }: Options, { partner, error }: Failure): Finding {
  const code = codeOf(error)
  const detail = describeError(error)
  if (code === 'address-forbidden') return bad(check, detail, 'allow the network under `network.allowPrivateAddresses`')
  if (code !== 'tls-untrusted') {
    return bad(check, detail, `check that ${partner.url} can be reached from here and that the partner's node runs`)
  }
  if (partner.fingerprints.length === 0) {
    const remedy = 'ask the partner for its fingerprint, take it away (`comity partners remove`) and add it with that'
    return bad(check, detail, remedy)
  }
  // A running node follows its partners' rotations; the configuration alone knows the first fingerprint only.
  if (running === undefined) {
    return caution(check, `${detail} by the configuration`, 'the key may have rotated since: ask the running node')
  }
  return bad(check, detail, 'compare the fingerprint with the partner out of band before you trust another one')
}
