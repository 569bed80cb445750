/** The real data of the demo, converted from the npm packages that carry it into databases of `json-server`. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseCsv } from './csv.ts'

/** Writes the athletes of the Olympic games of 2016, whole and unchanged as the federation has them, with an empty
 *  list of observations beside them. Returns the file's path. */
export function writeAthletesDatabase(folder: string): string {
  const athletes = readDataSet('@observablehq/sample-datasets/olympians.csv').map((row) => ({
    id: Number(row['id']),
    name: row['name'],
    nationality: row['nationality'],
    sex: row['sex'],
    date_of_birth: row['date_of_birth'] || null,
    height: numberOrNull(row['height']),
    weight: numberOrNull(row['weight']),
    sport: row['sport'],
    gold: Number(row['gold']),
    silver: Number(row['silver']),
    bronze: Number(row['bronze']),
    info: row['info'] || null,
  }))
  return writeDatabase(folder, 'athletes.json', { athletes, observations: [] })
}

/** Writes the yearly net generation of electricity in Iowa by source. Returns the file's path. */
export function writeElectricityDatabase(folder: string): string {
  const generation = readDataSet('vega-datasets/data/iowa-electricity.csv').map((row, index) => ({
    id: index + 1,
    year: Number(row['year']?.slice(0, 4)),
    source: row['source'],
    net_generation: Number(row['net_generation']),
  }))
  return writeDatabase(folder, 'electricity.json', { generation })
}

function readDataSet(name: string): Record<string, string>[] {
  return parseCsv(readFileSync(fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url)), 'utf8'))
}

function numberOrNull(text: string | undefined): number | null {
  return text === undefined || text === '' ? null : Number(text)
}

function writeDatabase(folder: string, name: string, content: object): string {
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify(content))
  return file
}
