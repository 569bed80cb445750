/** A person's browser without scripts: opens pages, keeps the cookie, ticks what has the words on it, sends forms as the
 *  pages write them, and follows redirects. Pages are parsed by the HTML standard's own algorithm. */
import { parse, type DefaultTreeAdapterTypes } from 'parse5'
import { call, type Answer } from './calls.ts'

type Element = DefaultTreeAdapterTypes.Element
type HtmlNode = DefaultTreeAdapterTypes.Node

/** A page as it is shown. */
export interface Page {
  readonly status: number
  /** What stands on it, with single spaces. */
  readonly text: string
  /** Boxes that can be ticked, and those that are already. */
  readonly boxes: number
  readonly ticked: number
  readonly root: HtmlNode
}

/** What a person does with a form before it is sent. */
export interface Filling {
  /** Boxes by their labels. */
  readonly tick?: readonly string[]
  /** Lists by their names. */
  readonly choose?: Readonly<Record<string, string>>
  /** The button by its words. */
  readonly press: string
}

export interface Browser {
  /** Opens an address of the pages. Throws when it is refused. */
  open(address: string): Promise<Page>
  /** Fills the form that has the button, and sends it. Throws when something is not on the page, or is refused. */
  submit(page: Page, filling: Filling): Promise<Page>
  /** Reads JSON by the same session, as a script of the pages would. */
  read(path: string): Promise<Answer>
}

/** A browser for the pages of one origin. */
export function openBrowser(origin: string): Browser {
  const cookies = new Map<string, string>()
  const visit = async (method: string, address: string, form?: URLSearchParams): Promise<Answer> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const sent = form === undefined ? {} : formFields
    const headers = { 'accept-language': 'en', ...sent, ...(cookie === '' ? {} : { cookie }) }
    const answer = await call(new URL(address, origin).href, {
      method,
      headers,
      ...(form === undefined ? {} : { body: form.toString() }),
    })
    const [name = '', value = ''] = (answer.headers.get('set-cookie') ?? '').split(';')[0]?.split('=') ?? []
    if (name !== '') cookies.set(name, value)
    const location = answer.headers.get('location')
    return answer.status === 303 && location !== undefined ? visit('GET', location) : answer
  }
  return {
    open: async (address) => pageOf(await visit('GET', address)),
    async submit(page, filling) {
      const form = formWith(page.root, filling.press)
      return pageOf(await visit('POST', attribute(form, 'action') ?? '', filled(form, filling)))
    },
    read: (path) => visit('GET', path),
  }
}

/** As browsers say that a form is sent by a page of its own origin that lets nobody know where it is. */
const formFields = {
  'content-type': 'application/x-www-form-urlencoded',
  origin: 'null',
  'sec-fetch-site': 'same-origin',
}

function pageOf({ status, body }: Answer): Page {
  const root = parse(body.toString('utf8'))
  const text = textOf(root)
  if (status !== 200) throw new Error(`the page says ${status}: ${text.slice(0, 200)}`)
  const boxes = all(root, 'input').filter((input) => ['checkbox', 'radio'].includes(attribute(input, 'type') ?? ''))
  return { status, text, boxes: boxes.length, ticked: boxes.filter(isChecked).length, root }
}

function filled(form: Element, { tick = [], choose = {}, press }: Filling): URLSearchParams {
  const inputs = all(form, 'input')
  const sent = inputs.filter((input) => attribute(input, 'type') === 'hidden' || isChecked(input))
  const ticked = tick.map((label) => labelled(form, label))
  const button = buttonOf(form, press)
  const pairs = [...sent, ...ticked, ...(button === undefined ? [] : [button])].map((element) => pairOf(element))
  return new URLSearchParams([...pairs.filter(([name]) => name !== ''), ...Object.entries(choose)])
}

function formWith(root: HtmlNode, press: string): Element {
  const form = all(root, 'form').find((one) => buttonOf(one, press) !== undefined)
  if (form === undefined) throw new Error(`the page has no button “${press}”`)
  return form
}

function buttonOf(form: Element, press: string): Element | undefined {
  return all(form, 'button').find((button) => textOf(button).startsWith(press))
}

function labelled(form: Element, words: string): Element {
  const label = all(form, 'label').find((one) => textOf(one) === words)
  const id = label && attribute(label, 'for')
  const input = id === undefined ? undefined : all(form, 'input').find((one) => attribute(one, 'id') === id)
  if (input === undefined) throw new Error(`the page has no box “${words}”`)
  return input
}

function pairOf(element: Element): [name: string, value: string] {
  return [attribute(element, 'name') ?? '', attribute(element, 'value') ?? '']
}

const isChecked = (element: Element): boolean => attribute(element, 'checked') !== undefined

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((one) => one.name === name)?.value
}

function all(node: HtmlNode, tag: string): Element[] {
  const children = 'childNodes' in node ? node.childNodes : []
  return children.flatMap((child) => {
    const below = all(child, tag)
    return 'tagName' in child && child.tagName === tag ? [child, ...below] : below
  })
}

function textOf(node: HtmlNode): string {
  const words = 'childNodes' in node ? node.childNodes.map(textOf).join(' ') : 'value' in node ? node.value : ''
  return words.replace(/\s+/g, ' ').trim()
}
