/** Self-signed X.509 certificates for TLS keys that are named in a DID document. Nobody checks their chain; they
 *  carry the key through the handshake. The library is heavy and loaded only when one is made. */
import { createPrivateKey, webcrypto, type JsonWebKey } from 'node:crypto'
import type { RandomBytes } from '@comity/core/ports'
import type { TlsCertificate } from './connector.ts'

const dayMs = 86_400_000
/** The key's life is ruled by its states in the document, so the certificate only must not end before it. */
const validityMs = 3650 * dayMs

export interface CertificateRequest {
  /** Host name that stands in the certificate, for people and tools that look. */
  readonly hostname: string
  readonly jwk: JsonWebKey
  readonly nowMs: number
  readonly randomBytes: RandomBytes
}

/** Certificate and key of a P-256 key, as PEM. */
export async function selfSignedCertificate(request: CertificateRequest): Promise<TlsCertificate> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: Buffer.from(request.randomBytes(16)).toString('hex').replace(/^./, '4'),
      name: [{ CN: [request.hostname.slice(0, 64)] }],
      notBefore: new Date(request.nowMs - dayMs),
      notAfter: new Date(request.nowMs + validityMs),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      keys: await importPair(request.jwk),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: nameType(request.hostname), value: request.hostname }]),
      ],
    },
    webcrypto as Crypto,
  )
  const key = createPrivateKey({ key: request.jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' })
  return { cert: `${certificate.toString('pem')}\n`, key: key.toString() }
}

function nameType(hostname: string): 'ip' | 'dns' {
  return /^[0-9.]+$|:/.test(hostname) ? 'ip' : 'dns'
}

async function importPair(jwk: JsonWebKey): Promise<CryptoKeyPair> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const { d: _, ...publicJwk } = jwk
  return {
    privateKey: await webcrypto.subtle.importKey('jwk', jwk, algorithm, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('jwk', publicJwk, algorithm, true, ['verify']),
  } as CryptoKeyPair
}
