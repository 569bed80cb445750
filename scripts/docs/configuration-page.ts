/** docs/operating/configuration.md: the reference of `comity.yaml`, from its schema, its descriptions and the sample. */
import { configDescriptions } from '../../packages/node/src/config/config-descriptions.ts'
import { alternatives, configJsonSchema, type SchemaPart } from '../../packages/node/src/config/config-names.ts'

interface Entry {
  /** `products[].limits.timeoutMs` */
  readonly path: string
  readonly part: SchemaPart
  readonly isRequired: boolean
  /** The nearest entry around it that may be absent as a whole. */
  readonly optionalGroup?: string | undefined
}

/** Paths of every entry that holds a value, in the schema's order. */
export function configEntries(): Entry[] {
  return entriesBelow(configJsonSchema(), '')
}

/** The page as Markdown, with the text of the sample file. */
export function configurationPage(sample: string): string {
  const sections = Map.groupBy(configEntries(), ({ path }) => path.split(/[.[]/)[0] ?? '')
  const tables = [...sections].map(
    ([name, entries]) => `### \`${name}\`\n\n${heading}\n${entries.map(row).join('\n')}\n`,
  )
  return `${introduction}\n\`\`\`yaml\n${sample.trimEnd()}\n\`\`\`\n\n${entriesIntroduction}\n${tables.join('\n')}`
}

const heading = '| entry | value | default | meaning |\n|---|---|---|---|'

const introduction = `<!-- Written by \`npm run docs\` from the schema in packages/node/src/config. Do not edit. -->

# Configuration

A node reads one file, \`comity.yaml\` (YAML 1.2), which \`comity init\` writes. It is checked as a whole before anything
starts: every mistake is listed with its line and its path, and a file with a mistake starts nothing. Unknown entries
are mistakes. Anchors, aliases and tags are refused, so that a file means what it shows.

Relative paths start from the folder of the file. Secrets never stand in it: an entry that needs one says where it is,
\`{ env: NAME }\` for an environment variable or \`{ file: path }\` for a file that other users cannot read (mode 600).

A full example (docs/operating/comity.sample.yaml):
`

const entriesIntroduction = `## Entries

\`[]\` stands for each entry of a list, \`<name>\` for a name of your own.
`

function entriesBelow(part: SchemaPart, path: string, optionalGroup?: string): Entry[] {
  const required = new Set(part.required ?? [])
  const defaults = new Map(Object.entries(typeof part.default === 'object' ? (part.default ?? {}) : {}))
  return Object.entries(part.properties ?? {}).flatMap(([name, schema]) => {
    const child = defaults.has(name) ? { ...schema, default: defaults.get(name) } : schema
    const childPath = path === '' ? name : `${path}.${name}`
    const isRequired = required.has(name) && child.default === undefined
    return entriesOf(child, { path: childPath, isRequired, optionalGroup })
  })
}

function entriesOf(part: SchemaPart, entry: Omit<Entry, 'part'>): Entry[] {
  const { path, isRequired, optionalGroup } = entry
  if (part.properties !== undefined && Object.keys(part.properties).length > 0) {
    const mayBeAbsent = !isRequired && part.default === undefined
    return entriesBelow(part, path, mayBeAbsent ? path : optionalGroup)
  }
  if (part.items?.properties !== undefined) return entriesBelow(part.items, `${path}[]`)
  const named = part.additionalProperties
  if (typeof named === 'object' && named.properties !== undefined) return entriesBelow(named, `${path}.<name>`)
  const objects = alternatives(part).filter((form) => form !== part && form.properties !== undefined && !isSecret(form))
  const below = objects.flatMap((form) => entriesBelow(form, path, path))
  return [{ ...entry, path: isNamed(part) ? `${path}.<name>` : path, part }, ...below]
}

function isNamed(part: SchemaPart): boolean {
  return typeof part.additionalProperties === 'object' && part.properties === undefined
}

function row({ path, part, isRequired, optionalGroup }: Entry): string {
  const required = optionalGroup === undefined ? '*required*' : `*required* in \`${optionalGroup}\``
  const standard = isRequired ? required : defaultText(part, path)
  const cells = [`\`${path}\``, valueText(part), standard, configDescriptions[path] ?? '']
  return `| ${cells.map(escaped).join(' | ')} |`
}

/** A bar would end the cell, within code too. */
const escaped = (cell: string): string => cell.replaceAll('|', '\\|')

function defaultText(part: SchemaPart, path: string): string {
  if (part.default === undefined || part.default === '' || path.endsWith('.<name>')) return ''
  return `\`${typeof part.default === 'string' ? part.default : JSON.stringify(part.default)}\``
}

function valueText(part: SchemaPart): string {
  const forms = alternatives(part)
  if (forms.some(isSecret)) return forms.every(isSecret) ? 'a secret' : 'text or a secret'
  if (isNamed(part) && typeof part.additionalProperties === 'object') return valueText(part.additionalProperties)
  if (part.const !== undefined) return `\`${String(part.const)}\``
  if (part.enum !== undefined) return part.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (part.type === 'array') return `list of ${part.items === undefined ? 'values' : valueText(part.items)}`
  if (part.type === 'integer' || part.type === 'number') return rangeText(part)
  if (part.type === 'boolean') return '`true`, `false`'
  return part.format === 'uri' ? 'address' : 'text'
}

function rangeText({ minimum, maximum }: SchemaPart): string {
  const plain = (value: number | undefined) => value?.toLocaleString('en-US') ?? ''
  return `${plain(minimum)} to ${plain(maximum)}`
}

function isSecret({ properties }: SchemaPart): boolean {
  return properties !== undefined && ('env' in properties || 'file' in properties)
}
