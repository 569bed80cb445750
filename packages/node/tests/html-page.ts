/** A page as a browser reads it: parsed by the HTML standard's own algorithm. */
import { parse, type DefaultTreeAdapterTypes } from 'parse5'

export type HtmlElement = DefaultTreeAdapterTypes.Element
type HtmlNode = DefaultTreeAdapterTypes.Node

export class HtmlPage {
  readonly #root: HtmlNode

  constructor(text: string) {
    this.#root = parse(text)
  }

  /** Elements with the tag, in document order; all when none is named. */
  all(tag?: string, below: HtmlNode = this.#root): HtmlElement[] {
    const children = 'childNodes' in below ? below.childNodes : []
    return children.flatMap((child) => {
      const deeper = this.all(tag, child)
      return 'tagName' in child && (tag === undefined || child.tagName === tag) ? [child, ...deeper] : deeper
    })
  }

  one(tag: string): HtmlElement {
    const found = this.all(tag)
    if (found.length !== 1) throw new Error(`there are ${found.length} of ${tag}`)
    return found[0] as HtmlElement
  }

  byId(id: string): HtmlElement | undefined {
    return this.all().find((element) => attribute(element, 'id') === id)
  }

  get text(): string {
    return textOf(this.#root)
  }

  /** The form with the action, with what it sends untouched: hidden fields, and what is ticked from the start. */
  form(action: string): { readonly element: HtmlElement; readonly hidden: [string, string][] } {
    const element = this.all('form').find((form) => attribute(form, 'action') === action)
    if (element === undefined) throw new Error(`there is no form for ${action}`)
    const inputs = this.all('input', element)
    const sent = inputs.filter(
      (input) => attribute(input, 'type') === 'hidden' || attribute(input, 'checked') !== undefined,
    )
    return {
      element,
      hidden: sent.map((input) => [attribute(input, 'name') ?? '', attribute(input, 'value') ?? '']),
    }
  }
}

export function attribute(element: HtmlElement, name: string): string | undefined {
  return element.attrs.find((one) => one.name === name)?.value
}

export function textOf(node: HtmlNode): string {
  if ('value' in node && node.nodeName === '#text') return node.value
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : ''
}
