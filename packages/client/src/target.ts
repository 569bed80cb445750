/** Where a call goes: `<node>/{partner}/{product}/{path}?{query}`, built so that no value can leave its place. */
import { withoutTrailing } from '@comity/core/bytes/without-trailing'
import { invalidCall } from './comity-error.ts'

/** The address of the node's listener for applications, without a final slash. A path on the page's own origin is
 *  possible in browsers. Throws `invalid-call`. */
export function parseNodeAddress(address: string): string {
  const base = withoutTrailing(address, '/')
  if (/^\/[^/\\?#]/.test(base)) return base
  const url = URL.canParse(base) ? new URL(base) : undefined
  // INVARIANT: the address never stands in a message, since people put credentials into addresses.
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalidCall('`node` is not an http or https address such as `http://127.0.0.1:8081`')
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidCall('`node` holds a user name or password; send credentials with `headers`')
  }
  if (url.search !== '' || url.hash !== '') throw invalidCall('`node` has a query or a fragment')
  return withoutTrailing(url.href, '/')
}

/** The address of one product at the node; the partner by alias or DID. */
export function productAddress(node: string, partner: string, product: string): string {
  return `${node}/${segment('the partner', partner)}/${segment('the product', product)}`
}

/** A path with its `{…}` filled. Values are escaped whole, so that `/`, `?` and `..` in them stay values. Throws
 *  `invalid-call` for a missing value and for a path that address parsers would change. */
export function fillPath(template: string, values: Readonly<Record<string, unknown>> = {}): string {
  if (!template.startsWith('/')) throw invalidCall(`the path \`${template}\` does not begin with \`/\``)
  if (/[?#]/.test(template))
    throw invalidCall(`the path \`${template}\` holds \`?\` or \`#\`; give parameters as \`query\``)
  const path = template.replace(/\{([^{}]*)\}/g, (_, name: string) => pathValue(template, name, values))
  // Dot segments and backslashes would be resolved on the way, and the call would reach another product.
  if (!isKept(path)) throw invalidCall(`the path \`${template}\` does not keep its form in an address`)
  return path
}

function isKept(path: string): boolean {
  return new URL(`http://node.invalid${path}`).pathname === path
}

function pathValue(template: string, name: string, values: Readonly<Record<string, unknown>>): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  const text = scalarText(value)
  if (text === undefined) throw invalidCall(`the path \`${template}\` needs a value for \`${name}\``)
  return segment(`the value of \`${name}\``, text)
}

/** One segment of a path. */
function segment(what: string, text: string): string {
  if (/^\.{0,2}$/.test(text)) throw invalidCall(`${what} is empty or made of dots, which no path can hold`)
  return escaped(what, text)
}

/** `?…`, or nothing. Arrays repeat their name, as OpenAPI's default style does; null and undefined are left out. */
export function queryText(values: Readonly<Record<string, unknown>> = {}): string {
  const pairs = Object.entries(values).flatMap(([name, value]) => {
    const several = Array.isArray(value)
      ? (value as readonly unknown[])
      : value === undefined || value === null
        ? []
        : [value]
    return several.map((one) => {
      const text = scalarText(one)
      if (text === undefined)
        throw invalidCall(`the query parameter \`${name}\` is not a text, number, boolean or list of them`)
      return `${escaped('the name of a query parameter', name)}=${escaped(`the query parameter \`${name}\``, text)}`
    })
  })
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

function escaped(what: string, text: string): string {
  if (!text.isWellFormed()) throw invalidCall(`${what} is not well-formed Unicode`)
  return encodeURIComponent(text)
}
