/** What minimising an answer costs, by format and by what is done to it: of answers about people of 1, 16 and 256 KiB,
 *  beside reading and writing the same JSON, the least that any filter does. */
import { parseExactJson, writeExactJson } from '@comity/core/bytes/exact-json'
import type { FieldTransform } from '@comity/core/consent/consent-scope'
import type { Release } from '@comity/core/consent/release'
import { minimise, rowMinimiser } from '@comity/core/minimisation/minimise'
import { createCsvRows } from '@comity/core/minimisation/rows/csv-rows'
import { createNdjsonRows } from '@comity/core/minimisation/rows/ndjson-rows'
import type { RowStream, RowWork } from '@comity/core/minimisation/rows/row-stream'
import type { BenchOptions } from './arguments.ts'
import { measureVariants, type Variant } from './micros.ts'
import { rounded, table } from './report.ts'

const fields = ['id', 'name', 'born', 'city', 'height', 'weight']
const rowOf = (index: number) => ({
  id: 1_000_000 + index,
  name: `Person number ${index}`,
  born: `19${50 + (index % 50)}-0${1 + (index % 9)}-12`,
  city: ['Zürich', 'Oslo', 'Nairobi', 'Quito'][index % 4],
  height: 150 + (index % 50),
  weight: 50.5 + (index % 60),
  sport: 'rowing',
  note: 'nothing that anybody would need to know',
})

const layout = { rows: 'items[]', open: [] }
const means = { keyedHash: (text: string) => text.padStart(43, 'x').slice(0, 43), pseudonym: 'ps_x' }
const releaseOf = (transforms: readonly FieldTransform[]): Release => ({
  parts: [{ grant: 'g1', fields, transforms, filters: [] }],
  released: fields,
  withheld: ['sport', 'note'],
})

const filter = releaseOf([])
const transforms = releaseOf([
  { path: 'born', op: 'year' },
  { path: 'height', op: 'round', arg: 10 },
  { path: 'name', op: 'mask', arg: 2 },
  { path: 'weight', op: 'drop' },
])
const groups: Release = {
  parts: [
    {
      grant: 'g1',
      fields: ['city', 'height'],
      transforms: [{ path: 'height', op: 'aggregate', fn: 'avg', arg: 5 }],
      filters: [],
    },
  ],
  released: ['city', 'height'],
  withheld: fields.filter((field) => field !== 'city' && field !== 'height'),
}

/** Rows of about so many KiB as JSON. */
function rowsOf(kib: number) {
  const count = Math.max(5, Math.round((kib * 1024) / JSON.stringify(rowOf(0)).length))
  return Array.from({ length: count }, (_, index) => rowOf(index))
}

const kinds = new Map(
  Object.entries(rowOf(0)).map(([name, value]) => [
    name,
    typeof value === 'number' ? ('number' as const) : ('text' as const),
  ]),
)

/** All rows at once, each read, released and written on its own. */
function rowsThrough(open: (work: RowWork) => RowStream, bytes: Uint8Array): () => unknown {
  const ofRow = { layout: { rows: '', open: [] }, means }
  return () => {
    const minimiser = rowMinimiser(filter, ofRow)
    const rows = open({ parse: parseExactJson, write: writeExactJson, check: () => undefined, ...minimiser })
    return [rows.push(bytes), rows.end()]
  }
}

const openCsv = (work: RowWork): RowStream => {
  const column = (name: string) => ({ kind: kinds.get(name) ?? 'text', keepsEmpty: false })
  return createCsvRows({ column, fields }, work)
}

function variantsOf(kib: number): Variant[] {
  const rows = rowsOf(kib)
  const text = JSON.stringify({ items: rows })
  const ndjson = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const csv = Buffer.from(
    [Object.keys(rowOf(0)), ...rows.map(Object.values)].map((cells) => `${cells.join()}\r\n`).join(''),
  )
  const json = (release: Release) => () => writeExactJson(minimise(parseExactJson(text), release, { layout, means }))
  return [
    { name: unitOf(kib), call: () => JSON.stringify(JSON.parse(text)) },
    { name: `json-filter-${kib}KiB`, call: json(filter) },
    { name: `json-transforms-${kib}KiB`, call: json(transforms) },
    { name: `json-aggregate-${kib}KiB`, call: json(groups) },
    { name: `ndjson-filter-${kib}KiB`, call: rowsThrough((work) => createNdjsonRows(work), ndjson) },
    { name: `csv-filter-${kib}KiB`, call: rowsThrough(openCsv, csv) },
  ]
}

const unitOf = (kib: number) => `json-read-and-write-${kib}KiB`

/** Measures and prints. */
export function benchMinimisation({ json, policyPace }: Pick<BenchOptions, 'json' | 'policyPace'>): void {
  const head = ['of an answer about people', 'KiB', 'CPU µs', 'µs for each KiB', 'ratio to reading and writing JSON']
  const lines: string[][] = []
  for (const kib of [1, 16, 256]) {
    for (const { name, micros, ratio } of measureVariants(variantsOf(kib), unitOf(kib), policyPace)) {
      const figures = {
        cpuMicros: rounded(micros, 2),
        cpuMicrosPerKiB: rounded(micros / kib, 2),
        ratio: rounded(ratio, 2),
      }
      if (json) console.log(JSON.stringify({ name, ...figures, ratioTo: unitOf(kib) }))
      lines.push([
        name.replace(/-[0-9]+KiB$/, ''),
        String(kib),
        micros.toFixed(1),
        (micros / kib).toFixed(2),
        `${ratio.toFixed(2)}×`,
      ])
    }
  }
  if (!json) console.log(`\nWhat minimising an answer costs:\n\n${table([head, ...lines])}`)
}
