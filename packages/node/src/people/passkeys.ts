/** Passkeys of people (W3C Web Authentication Level 3): one is registered when it is first used; then it signs the hash
 *  of a record. The library that reads registrations is loaded when the first person needs it. */
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { ConsentProof, WebAuthnProof } from '@comity/core/consent/consent-record'
import type { PasskeyJwk } from '@comity/core/consent/webauthn-assertion'
import { rsaPublicKey } from '@comity/core/consent/webauthn-rs256'
import { sha256 } from '@comity/core/crypto/crypto-node'
import { Problem } from '@comity/core/problems'
import type { Clock } from '@comity/core/ports'
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { isIP } from 'node:net'
import type { SubjectVault } from '../vault/vault.ts'
import type { PeopleStore } from './people-store.ts'
import type { PersonDraft } from './ports.ts'
import type { Session } from './sessions.ts'

export interface PasskeysParts {
  readonly store: PeopleStore
  readonly vault: Pick<SubjectVault, 'open' | 'unseal'>
  readonly clock: Clock
  readonly newId: () => string
  readonly url: string
  readonly holder: string
}

/** What the browser is asked to do next. */
export type PasskeyStep =
  | { readonly step: 'register'; readonly options: PublicKeyCredentialCreationOptionsJSON }
  | { readonly step: 'sign'; readonly options: PublicKeyCredentialRequestOptionsJSON }

/** Who signs: the subject, or a representative by id. Passkeys are not shared between them. */
export type PasskeyOwner = 'self' | { readonly representative: string }

export interface Passkeys {
  /** Browsers have passkeys for names only, not for addresses. */
  readonly areKnown: boolean
  /** Registration for who has none yet, else the signature over the hash. */
  next(session: Session, owner: PasskeyOwner, hash: string): Promise<PasskeyStep>
  /** Keeps a passkey. Throws `consent-proof-invalid`. */
  register(session: Session, owner: PasskeyOwner, response: unknown): Promise<void>
  /** The proof of an assertion over the draft's hash. Throws `consent-proof-invalid`. */
  proof(session: Session, owner: PasskeyOwner, signed: SignedDraft): Promise<ConsentProof>
  /** What a proof's assertion must say; undefined for a passkey that was never registered for the subject. */
  facts(
    proof: WebAuthnProof,
    subject: string,
  ): Promise<
    | {
        readonly rpId: string
        readonly origins: readonly string[]
        readonly credential: { readonly id: string; readonly publicKey: PasskeyJwk }
      }
    | undefined
  >
}

export interface SignedDraft {
  readonly draft: PersonDraft
  /** JSON value as the browser gave it. */
  readonly assertion: unknown
}

/** What is sealed of a passkey. */
interface KeptPasskey {
  readonly owner: string
  readonly credentialId: string
  /** COSE key, base64url. */
  readonly cose: string
  readonly jwk: PasskeyJwk
  readonly counter: number
  readonly transports: readonly string[]
}

interface FoundPasskey extends KeptPasskey {
  readonly id: string
}

const load = () => import('@simplewebauthn/server')
const loadHelpers = () => import('@simplewebauthn/server/helpers')

/** COSE algorithms whose signatures a record's reader can verify: ES256, EdDSA, and RS256, which is all that some devices
 *  have. Browsers warn of a page that leaves out ES256 or RS256. */
const algorithms = [-7, -8, -257]

export function createPasskeys(parts: PasskeysParts): Passkeys {
  const { hostname, origin } = new URL(parts.url)
  const site: Site = { ...parts, rpId: hostname, origin }
  return {
    areKnown: isIP(hostname.replace(/^\[|\]$/g, '')) === 0,
    async next(session, owner, hash) {
      const own = (await findAll(site, session.subject)).filter((one) => one.owner === ownerText(owner))
      return own.length === 0
        ? { step: 'register', options: await registrationOptions(site, session, owner) }
        : { step: 'sign', options: await signingOptions(site, own, hash) }
    },
    register: (session, owner, response) => register(site, session, { owner, response }),
    proof: (session, owner, signed) => makeProof(site, session, { owner, ...signed }),
    async facts(proof, subject) {
      const found = (await findAll(site, subject)).find(({ credentialId }) => credentialId === proof.credentialId)
      if (found === undefined) return undefined
      const credential = { id: found.credentialId, publicKey: found.jwk }
      return { rpId: site.rpId, origins: [site.origin], credential }
    },
  }
}

interface Site extends PasskeysParts {
  readonly rpId: string
  readonly origin: string
}

function ownerText(owner: PasskeyOwner): string {
  return owner === 'self' ? 'self' : `representative:${owner.representative}`
}

async function findAll({ store, vault }: Site, subject: string): Promise<FoundPasskey[]> {
  const rows = await store.findPasskeys(subject)
  const opened = rows.map(async ({ id, passkey }) => {
    const text = await vault.unseal(passkey)
    return text === undefined ? [] : [{ ...(JSON.parse(text) as KeptPasskey), id }]
  })
  return (await Promise.all(opened)).flat()
}

async function registrationOptions(
  { store, rpId, holder }: Site,
  session: Session,
  owner: PasskeyOwner,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { generateRegistrationOptions } = await load()
  const options = await generateRegistrationOptions({
    rpName: holder,
    rpID: rpId,
    // What the person's device shows beside the passkey; it names nobody.
    userName: holder,
    userDisplayName: holder,
    userID: new Uint8Array(sha256(`comity passkey ${session.subject} ${ownerText(owner)}`)),
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
    supportedAlgorithmIDs: algorithms,
  })
  await store.saveChallenge(session.hash, options.challenge)
  return options
}

async function signingOptions(
  { rpId }: Site,
  own: readonly FoundPasskey[],
  hash: string,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { generateAuthenticationOptions } = await load()
  return generateAuthenticationOptions({
    rpID: rpId,
    challenge: new Uint8Array(decodeBase64url(hash)),
    userVerification: 'preferred',
    allowCredentials: own.map(({ credentialId, transports }) => ({ id: credentialId, transports: [...transports] })),
  })
}

async function register(
  site: Site,
  session: Session,
  { owner, response }: { readonly owner: PasskeyOwner; readonly response: unknown },
): Promise<void> {
  const { store, vault, clock, newId, rpId, origin } = site
  const expectedChallenge = await store.takeChallenge(session.hash)
  if (expectedChallenge === undefined) throw refused('no passkey is being registered')
  const { verifyRegistrationResponse } = await load()
  const verified = await refusing(() =>
    verifyRegistrationResponse({
      response: response as RegistrationResponseJSON,
      expectedChallenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: false,
      supportedAlgorithmIDs: algorithms,
    }),
  )
  if (!verified.verified) throw refused('the registration does not verify')
  const { id: credentialId, publicKey, counter, transports = [] } = verified.registrationInfo.credential
  const kept: KeptPasskey = {
    owner: ownerText(owner),
    credentialId,
    cose: encodeBase64url(publicKey),
    jwk: await jwkOfCose(publicKey),
    counter,
    transports,
  }
  const passkey = (await vault.open(session.subject)).seal(JSON.stringify(kept))
  await store.insertPasskey({ id: newId(), subject: session.subject, passkey, createdMs: clock.now() })
}

async function makeProof(
  site: Site,
  session: Session,
  { owner, draft, assertion }: SignedDraft & { readonly owner: PasskeyOwner },
): Promise<ConsentProof> {
  const { store, vault, clock, rpId, origin } = site
  const response = assertion as AuthenticationResponseJSON
  const known = await findAll(site, session.subject)
  const found = known.find((one) => one.credentialId === response?.id && one.owner === ownerText(owner))
  if (found === undefined) throw refused('the passkey is not known here')
  const { id, credentialId, cose, counter, jwk, ...rest } = found
  const { verifyAuthenticationResponse } = await load()
  const { verified, authenticationInfo } = await refusing(() =>
    verifyAuthenticationResponse({
      response,
      expectedChallenge: draft.hash,
      expectedOrigin: origin,
      expectedRPID: rpId,
      credential: { id: credentialId, publicKey: new Uint8Array(decodeBase64url(cose)), counter },
      requireUserVerification: false,
    }),
  )
  if (!verified) throw refused('the assertion does not verify')
  const kept = { ...rest, credentialId, cose, jwk, counter: authenticationInfo.newCounter }
  await store.savePasskey({ id, passkey: (await vault.open(session.subject)).seal(JSON.stringify(kept)) })
  const { authenticatorData, clientDataJSON, signature } = response.response
  return {
    by: draft.record.grantor.id,
    role: owner === 'self' ? 'subject' : 'grantor',
    type: 'webauthn',
    at: formatDateTime(clock.now()),
    value: { credentialId, publicKey: { ...jwk }, rpId, origin, authenticatorData, clientDataJSON, signature },
  }
}

/** Members of a COSE key (RFC 9053 §7, RFC 8230 §4). */
async function jwkOfCose(publicKey: Uint8Array): Promise<PasskeyJwk> {
  const { decodeCredentialPublicKey, cose } = await loadHelpers()
  const key = decodeCredentialPublicKey(new Uint8Array(publicKey))
  if (cose.isCOSEPublicKeyEC2(key)) {
    const [x, y] = [key.get(cose.COSEKEYS.x), key.get(cose.COSEKEYS.y)]
    if (x !== undefined && y !== undefined) {
      return { kty: 'EC', crv: 'P-256', x: encodeBase64url(x), y: encodeBase64url(y) }
    }
  }
  if (cose.isCOSEPublicKeyOKP(key)) {
    const x = key.get(cose.COSEKEYS.x)
    if (x !== undefined) return { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(x) }
  }
  if (cose.isCOSEPublicKeyRSA(key)) {
    const [n, e] = [key.get(cose.COSEKEYS.n), key.get(cose.COSEKEYS.e)]
    if (n !== undefined && e !== undefined) return rsaKey(encodeBase64url(n), encodeBase64url(e))
  }
  throw refused('the passkey has a key of another kind')
}

/** One that a record's reader would refuse is not kept. */
function rsaKey(n: string, e: string): PasskeyJwk {
  try {
    return rsaPublicKey({ kty: 'RSA', n, e })
  } catch (cause) {
    throw refused('the passkey has an RSA key that is too weak or too long', cause)
  }
}

/** Whatever the library says of what a browser sent, it is the sender's mistake. */
async function refusing<T>(verify: () => Promise<T>): Promise<T> {
  try {
    return await verify()
  } catch (cause) {
    throw refused('what the passkey made does not verify', cause)
  }
}

function refused(detail: string, cause?: unknown): Problem {
  return new Problem('consent-proof-invalid', detail, { cause })
}
