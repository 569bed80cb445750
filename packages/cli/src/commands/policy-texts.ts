/** Policies as files, and what is wrong with them as lines. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { PolicyFaultView } from '@comity/node/admin/policy-api'
import { readPolicyFiles } from '@comity/node/policy/sets/policy-files'
import { Problem } from '@comity/core/problems'
import { readTextFile } from '../command-context.ts'

interface PolicyText {
  readonly source: string
  readonly text: string
}

/** A file by its name, every `*.cedar` file below a directory, or the texts of a set that the command printed. */
export async function readTexts(place: string): Promise<readonly PolicyText[]> {
  const found = await stat(place).catch((cause: unknown) => {
    throw new Problem('malformed-request', `\`${place}\` cannot be read`, { cause })
  })
  if (!found.isDirectory()) {
    const text = await readTextFile(place)
    return printedTexts(place, text) ?? [{ source: basename(place), text }]
  }
  const texts = await readPolicyFiles(place)
  if (texts.length > 0) return texts
  throw new Problem('malformed-request', `there is no *.cedar file below \`${place}\``)
}

/** The texts of what `comity policy show --json` printed; undefined for anything but JSON. */
function printedTexts(place: string, text: string): readonly PolicyText[] | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  const texts = textsIn(text)
  if (texts !== undefined) return texts.map(({ source, text: of }) => ({ source, text: of }))
  const detail = `\`${place}\` holds neither Cedar nor what \`comity policy show --json\` prints of a set`
  throw new Problem('malformed-request', detail)
}

function textsIn(text: string): readonly PolicyText[] | undefined {
  try {
    const { texts } = JSON.parse(text) as { readonly texts?: readonly Partial<PolicyText>[] }
    const isText = ({ source, text: of }: Partial<PolicyText>) => typeof source === 'string' && typeof of === 'string'
    return Array.isArray(texts) && texts.every(isText) ? (texts as readonly PolicyText[]) : undefined
  } catch {
    return undefined
  }
}

/** `roles.cedar:3 [nurses] fault: … (help)`. */
export function faultLine({ source, line, policy, message, help }: PolicyFaultView, kind: string): string {
  const place = line === undefined ? source : `${source}:${line}`
  const named = policy === undefined || policy === source ? '' : ` [${policy}]`
  return `${place}${named} ${kind}: ${message}${help === undefined ? '' : ` (${help})`}`
}
