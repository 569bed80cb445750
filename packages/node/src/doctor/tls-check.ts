/** Checks the certificate that the public listener presents, and that partners find its key in the DID document. */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { isIP } from 'node:net'
import type { Clock } from '@comity/core/ports'
import type { DidDocument } from '@comity/core/identity/did-document'
import type { TlsCertificate } from '../http/connector.ts'
import { spkiFingerprint } from '../http/spki-fingerprint.ts'
import { tlsFingerprints } from '../identity/tls-keys.ts'
import { bad, caution, describeError, good, type Finding } from './finding.ts'

const dayMs = 86_400_000
/** Public authorities' own tools renew earlier than this. */
const renewalDays = 14

export interface TlsFacts {
  readonly certificate: TlsCertificate
  /** True for a certificate of the configuration; false for the node's own, which partners pin. */
  readonly configured: boolean
  readonly hostname: string
  readonly document: DidDocument
  readonly clock: Clock
}

export function checkTls(facts: TlsFacts): Finding[] {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(facts.certificate.cert)
    if (!certificate.checkPrivateKey(createPrivateKey(facts.certificate.key))) {
      return [bad('tls', 'certificate and private key do not belong together', 'name the two files of one certificate')]
    }
  } catch (error) {
    return [
      bad('tls', `the certificate cannot be read: ${describeError(error)}`, 'name PEM files under `listen.public.tls`'),
    ]
  }
  return [checkTime(certificate, facts), ...checkName(certificate, facts), checkDocument(certificate, facts)]
}

function checkTime(certificate: X509Certificate, { clock, configured }: TlsFacts): Finding {
  const nowMs = clock.now()
  const untilMs = certificate.validToDate.getTime()
  const until = certificate.validToDate.toISOString().slice(0, 10)
  const remedy = configured
    ? 'renew the certificate and restart the node'
    : '`comity keys rotate --purpose tls` makes a new key with a new certificate'
  if (nowMs < certificate.validFromDate.getTime()) {
    return bad('tls', `the certificate is not valid before ${certificate.validFromDate.toISOString()}`, 'set the clock')
  }
  if (nowMs >= untilMs) return bad('tls', `the certificate expired on ${until}`, remedy)
  const days = Math.floor((untilMs - nowMs) / dayMs)
  if (days < renewalDays) return caution('tls', `the certificate expires in ${days} days, on ${until}`, remedy)
  return good('tls', `the certificate is valid until ${until}`)
}

/** The name matters to those who trust a public authority; who pins the key does not look at it. */
function checkName(certificate: X509Certificate, { hostname, configured }: TlsFacts): Finding[] {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  const named = isIP(bare) === 0 ? certificate.checkHost(bare) : certificate.checkIP(bare)
  if (named !== undefined) return []
  const detail = `the certificate is not for \`${bare}\``
  const remedy = 'use a certificate that names the host of `listen.public.url`'
  return [configured ? bad('tls', detail, remedy) : caution('tls', detail, 'partners that pin the key do not mind')]
}

function checkDocument(certificate: X509Certificate, { document }: TlsFacts): Finding {
  const fingerprint = spkiFingerprint(certificate)
  if (tlsFingerprints(document).includes(fingerprint)) {
    return good('tls key', `${fingerprint} is named in the DID document`)
  }
  if (document.id.startsWith('did:key:')) {
    return good('tls key', `${fingerprint}; a did:key names no TLS key, so tell partners this fingerprint`)
  }
  return bad(
    'tls key',
    `${fingerprint} is not named in the DID document`,
    'restart the node so that both are of one time',
  )
}
