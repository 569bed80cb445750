/** What sealing and opening content cost, by algorithm and size, as ratios to one signature and
 *  its verification with P-256, the unit of what an exchange costs; and the same by libraries on WebCrypto. */
import { randomBytes } from 'node:crypto'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { encodeContent } from '@comity/core/sealing/sealed-content'
import { parseEnvelope } from '@comity/core/sealing/sealed-envelope'
import { keyKindOf, sealingAlgorithms, type SealingAlgorithm } from '@comity/core/sealing/sealing-algorithms'
import { importPrivateKey } from '@comity/node/sealing/key-encapsulation'
import { openEnvelope, sealEnvelope } from '@comity/node/sealing/sealing-cipher'
import { AEAD_AES_128_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'
import { compactDecrypt, CompactEncrypt } from 'jose'
import type { BenchOptions } from './arguments.ts'
import { rounded, table } from './report.ts'
import { median } from './rounds.ts'

const stretchMs = 40

/** Median CPU microseconds of a call, all threads, over eight stretches after one to warm up. */
async function microsOf(call: () => unknown): Promise<number> {
  const stretch = async (): Promise<number> => {
    const before = process.cpuUsage()
    const endsAt = performance.now() + stretchMs
    let calls = 0
    for (; performance.now() < endsAt; calls++) await call()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / calls
  }
  await stretch()
  const measured: number[] = []
  for (let round = 0; round < 8; round++) measured.push(await stretch())
  return median(measured)
}

async function unitMicros(): Promise<number> {
  const { d, ...jwk } = generatePrivateJwk('ecdsa-p256-sha256')
  const [signing, verifying] = [importSigningKey({ ...jwk, d }), importVerifyingKey(jwk)]
  const text = 'x'.repeat(600)
  return microsOf(() => verifying.verify(text, signing.sign(text)))
}

interface Cost {
  readonly name: string
  readonly seal: number
  readonly open: number
}

const bnd = 'A'.repeat(43)

async function costOf(alg: SealingAlgorithm, kib: number): Promise<Cost> {
  const key = importPrivateKey(keyKindOf(alg), new Uint8Array(32).fill(7))
  const head = { alg, kid: 'did:web:lab.example#agree-1', typ: 'comity-answer', bnd } as const
  const content = { fields: { 'content-type': 'application/json' }, body: randomBytes(kib * 1024) }
  const seal = () => {
    const { bytes } = encodeContent(content, randomBytes(32))
    return Buffer.from(sealEnvelope({ head, key: key.public, plaintext: bytes }, randomBytes), 'latin1')
  }
  const sealed = seal()
  const open = () => openEnvelope(parseEnvelope(sealed.toString('latin1')), key)
  return { name: `${alg}, ${kib} KiB`, seal: await microsOf(seal), open: await microsOf(open) }
}

async function libraries(): Promise<Cost[]> {
  const content = randomBytes(1024)
  const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_128_GCM)
  const { publicKey, privateKey } = await suite.GenerateKeyPair()
  const { encapsulatedSecret, ciphertext } = await suite.Seal(publicKey, content)
  const own = importPrivateKey('X25519', new Uint8Array(32).fill(7))
  const encrypt = () =>
    new CompactEncrypt(content).setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM' }).encrypt(own.public.x25519)
  const jwe = await encrypt()
  return [
    {
      name: 'HPKE-3 by `hpke`, 1 KiB',
      seal: await microsOf(() => suite.Seal(publicKey, content)),
      open: await microsOf(() => suite.Open(privateKey, encapsulatedSecret, ciphertext)),
    },
    {
      name: 'ECDH-ES+A256KW by `jose`, 1 KiB',
      seal: await microsOf(encrypt),
      open: await microsOf(() => compactDecrypt(jwe, own.x25519)),
    },
  ]
}

/** Measures and prints. */
export async function benchSealing({
  json,
  sealingKiB: sizes,
}: Pick<BenchOptions, 'json' | 'sealingKiB'>): Promise<void> {
  const unit = await unitMicros()
  const costs: Cost[] = []
  for (const algorithm of sealingAlgorithms) for (const kib of sizes) costs.push(await costOf(algorithm, kib))
  costs.push(...(await libraries()))
  if (json) return printLines(costs, unit)
  const rows = costs.map(({ name, seal, open }) => [name, (seal / unit).toFixed(2), (open / unit).toFixed(2)])
  console.log(table([['ratio to one P-256 signature and verification', 'seal', 'open'], ...rows]))
  for (const algorithm of sealingAlgorithms) {
    const of = (kib: number) => costs.find(({ name }) => name === `${algorithm}, ${kib} KiB`)
    const most = Math.max(...sizes)
    const [small, large] = [of(1), of(most)]
    if (small === undefined || large === undefined) continue
    const each = (side: 'seal' | 'open') => ((large[side] - small[side]) / (most - 1) / unit).toFixed(4)
    console.log(`${algorithm}: each further KiB ${each('seal')} to seal, ${each('open')} to open`)
  }
}

function printLines(costs: readonly Cost[], unit: number): void {
  const ratioTo = 'p256-signature-and-verification'
  for (const { name, seal, open } of costs) {
    const figures = { sealRatio: rounded(seal / unit, 3), openRatio: rounded(open / unit, 3) }
    console.log(JSON.stringify({ name: `sealing ${name}`, ...figures, ratioTo }))
  }
}
