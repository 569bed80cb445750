/** Rules that are patterns: what Comity makes or is given, and key material that common rule sets pass over. */
import type { Match, ScannedText } from './finding.ts'

/** One kind of secret. */
export interface SecretRule {
  readonly id: string
  find(scanned: ScannedText): Iterable<Match>
}

interface Pattern {
  /** Global; group `secret` is the secret, the whole match without one. */
  readonly expression: RegExp
  readonly shown: number
  /** Whether what the pattern found is one. */
  readonly isSecret?: (secret: string, scanned: ScannedText, at: number) => boolean
}

function patternRule(id: string, { expression, shown, isSecret = () => true }: Pattern): SecretRule {
  return {
    id,
    *find(scanned) {
      for (const match of scanned.text.matchAll(expression)) {
        const secret = match.groups?.['secret'] ?? match[0]
        const start = match.index + match[0].lastIndexOf(secret)
        if (isSecret(secret, scanned, start)) yield { rule: id, start, end: start + secret.length, shown }
      }
    },
  }
}

/** Standard Webhooks: `whsec_` with 24 to 64 bytes, `whsk_` with a private Ed25519 key. */
const webhookSecret = patternRule('webhook-secret', {
  expression: /\bwhs(?:ec|k)_(?<body>[A-Za-z0-9+/]{32,88}={0,2})(?![A-Za-z0-9+/])/g,
  shown: 'whsec_'.length,
  isSecret: (secret) => {
    const { length } = Buffer.from(secret.slice(secret.indexOf('_') + 1), 'base64')
    return length >= 24 && length <= 64 && !isMonotonous(secret.slice(secret.indexOf('_') + 1))
  },
})

/** PEM of any private key that is not encrypted, its line ends escaped or not. Beside the common rule, which wants a
 *  hundred characters: an Ed25519 key has 64. */
const privateKey = patternRule('private-key', {
  expression:
    /-----BEGIN (?!ENCRYPTED )(?:[A-Z]{2,10} )?PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s\\]{56,20000}-----END (?:[A-Z]{2,10} )?PRIVATE KEY/g,
  shown: 0,
  isSecret: (pem) => {
    const [, , body = ''] = pem.split('-----')
    const bytes = Buffer.from(body.replaceAll(/\\[nrt]|\s/g, ''), 'base64')
    // DER begins with a SEQUENCE, OpenSSH's own form with its name.
    return bytes[0] === 0x30 || bytes.subarray(0, 11).toString('latin1') === 'openssh-key'
  },
})

/** The private member of a JSON Web Key (RFC 7517), or of a symmetric one: only beside `kty`, in JSON or a program. */
const jsonWebKey = patternRule('private-jwk', {
  expression: /(?<![\w-])\\?["']?(?:d|k|priv)\\?["']?\s*[:=]\s*\\?["'](?<secret>[A-Za-z0-9_-]{42,1400})\\?["']/g,
  shown: 0,
  isSecret: (secret, { text }, at) =>
    /\bkty\b/.test(text.slice(Math.max(0, at - 3_000), at + secret.length + 3_000)) && !isMonotonous(secret),
})

/** A secret of a node in the environment of a process: `.env`, compose files, shell scripts, pipelines. */
const environmentSecret = patternRule('comity-environment-secret', {
  expression:
    /\bCOMITY_(?:[A-Z0-9]+_){0,6}(?:PASSPHRASE|SECRET|TOKEN|PASSWORD)["']?[ \t]*(?::[ \t]|=)[ \t]*["']?(?<secret>[^\s"'`$<>{}()[\]#,;]{8,200})/g,
  shown: 0,
  isSecret: (secret) => !/^(?:change-?me|example|your-|x{4,}|\*{3,}|process\.|env\.)/i.test(secret),
})

/** A name and a password in base64: `auth` of a registry in Docker's configuration, `_auth` of `.npmrc`. */
const encodedLogin = patternRule('encoded-login', {
  expression:
    /(?:\\?"auth\\?"[ \t\r\n]{0,99}:[ \t\r\n]{0,99}\\?"|\b_auth[ \t]{0,99}=[ \t]{0,99}["']?)(?<secret>[A-Za-z0-9+/]{12,4000}={0,2})(?![A-Za-z0-9+/=])/g,
  shown: 0,
  isSecret: (secret) =>
    /^[\x21-\x39\x3b-\x7e]{1,200}:[\x20-\x7e]{4,2800}$/.test(Buffer.from(secret, 'base64').toString('latin1')),
})

/** One letter over and over is a placeholder. */
function isMonotonous(text: string): boolean {
  return new Set(text).size < 8
}

export const patternRules: readonly SecretRule[] = [
  webhookSecret,
  privateKey,
  jsonWebKey,
  environmentSecret,
  encodedLogin,
]
