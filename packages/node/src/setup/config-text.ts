/** The first `comity.yaml`: short, commented, all of it meant to be read. */
import type { KeySecretSource } from '../identity/key-secret.ts'

export interface ConfigTextOptions {
  readonly did: string
  readonly name: string
  readonly url: URL
  readonly address?: string
  readonly ports?: { readonly public?: number; readonly local?: number; readonly admin?: number }
  readonly secret: KeySecretSource
  readonly allowPrivateAddresses?: readonly string[]
}

const quote = (text: string): string => JSON.stringify(text)

function secretLine(secret: KeySecretSource): string {
  if ('keyFile' in secret)
    return `keyFile: ${quote(secret.keyFile)}   # 32 random bytes; keep it apart from backups of the keys`
  if ('env' in secret) return `passphrase: { env: ${secret.env} }`
  return `passphrase: { file: ${quote(secret.file)} }`
}

/** YAML text of a new node's configuration. */
export function configText(options: ConfigTextOptions): string {
  const { did, name, url, ports = {}, address = '0.0.0.0', allowPrivateAddresses = [] } = options
  const publicPort = ports.public ?? (url.port === '' ? 443 : Number(url.port))
  return `# Comity node. \`comity config check\` tells every mistake; docs/operating/configuration.md tells every entry.
comity: 1
participant:
  did: ${quote(did)}
  name: ${quote(name)}
listen:
  public:                      # partners' nodes call here, HTTPS with TLS 1.3
    address: ${quote(address)}
    port: ${publicPort}
    url: ${quote(url.origin)}
  local:                       # your applications call here: /{partner}/{product}/{path}
    port: ${ports.local ?? 8081}
  admin:                       # the comity command and /metrics
    port: ${ports.admin ?? 8082}
  # people:                    # pages where people decide on their data: docs/operating/consent-pages.md
  #   port: 8083               # on 127.0.0.1, behind something that ends TLS
  #   url: https://consent.example.org
keys:
  directory: keys
  ${secretLine(options.secret)}
network:                       # networks beyond the public internet that partners' nodes may be in
  allowPrivateAddresses: ${JSON.stringify(allowPrivateAddresses)}
products: []                   # what you offer: docs/operating/products.md
partners: []                   # or add them while the node runs: comity partners add
`
}
