/** Checks what products about people need: pages where they decide, an own system that is told whom to ask, and the
 *  secret that what is kept of them is sealed with. */
import { connects } from './connects.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { bad, caution, codeOf, describeError, good, type Finding } from './finding.ts'
import { checkVault, type VaultFacts } from './vault-check.ts'

type Options = Pick<DoctorOptions, 'config' | 'environment' | 'fetch' | 'running'>

export async function checkPeople(options: Options): Promise<Finding[]> {
  const { config, running } = options
  const configured = config.products.filter((product) => product.class === 'personal').map(({ id }) => id)
  const products = [...new Set([...configured, ...(running?.personalProducts ?? [])])]
  const { people } = config.listen
  const vault: VaultFacts = { ...options, isNeeded: products.length > 0 || people !== undefined }
  return [
    ...(products.length === 0 ? [] : decideSurroundings(products, config)),
    ...(people === undefined ? [] : [await checkPages(options, people.url.replace(/\/$/, ''))]),
    ...(await checkVault(vault)),
  ]
}

/** The verdict about who asks the person, and where. */
export function decideSurroundings(
  products: readonly string[],
  { listen, webhooks }: Pick<DoctorOptions['config'], 'listen' | 'webhooks'>,
): Finding[] {
  const about = `\`${products.join('`, `')}\` ${products.length === 1 ? 'is' : 'are'} about people`
  const findings: Finding[] = []
  if (listen.people === undefined) {
    const remedy = 'declare `listen.people`, or enter what people decide in your portal with `comity consents decide`'
    findings.push(caution('people pages', `${about}, and there is no page where a person decides`, remedy))
  }
  if (!webhooks.some(({ events }) => events.includes('consent.requested'))) {
    const remedy =
      'add a webhook for `consent.requested`, or look at `comity consents list --state requested`: requests lapse unseen'
    findings.push(caution('people webhook', `${about}, and no system of yours is told whom to ask`, remedy))
  }
  return findings.length > 0 ? findings : [good('people', `${about}; people can be asked`)]
}

/** As a person's browser reaches them: by a public authority's word, or on this machine. */
async function checkPages({ fetch, running }: Options, url: string): Promise<Finding> {
  const check = 'people pages'
  const remedy = `${url} must lead to the listener \`listen.people\`: check DNS, proxy and certificate`
  try {
    if (url.startsWith('http:')) {
      await connects(new URL(url))
      return good(check, `${url} takes connections`)
    }
    const { status } = await fetch({ url: `${url}/healthz`, trust: { publicAuthority: true } })
    return status === 200 ? good(check, `reached at ${url}`) : bad(check, `${url}/healthz answers ${status}`, remedy)
  } catch (error) {
    const detail = `${url}: ${describeError(error)}`
    if (running === undefined) return caution(check, detail, 'start the node, then run the doctor again')
    if (codeOf(error) === 'address-forbidden') {
      return caution(check, detail, 'this node may not call it; open it with a browser outside your network')
    }
    return bad(check, detail, remedy)
  }
}
