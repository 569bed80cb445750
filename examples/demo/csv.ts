/** Comma-separated values (RFC 4180), as much as the data sets of the demo need. */

/** One object a record, by the names of the header line; every value is text. Quoted values may hold commas, line
 *  ends and doubled quotes. Throws when a record has another number of values than the header. */
export function parseCsv(text: string): Record<string, string>[] {
  const [names = [], ...records] = parseRecords(text)
  return records.map((values, index) => {
    if (values.length !== names.length) throw new Error(`record ${index + 1} has ${values.length} values`)
    return Object.fromEntries(names.map((name, column) => [name, values[column] ?? '']))
  })
}

/** A value, quoted or not, and what ends it. */
const valuePattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y

function parseRecords(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  valuePattern.lastIndex = 0
  while (valuePattern.lastIndex < text.length || record.length > 0) {
    const at = valuePattern.lastIndex
    const match = valuePattern.exec(text)
    if (match === null) throw new Error(`no value at character ${at}`)
    record.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] === ',') continue
    records.push(record)
    record = []
  }
  return records
}
