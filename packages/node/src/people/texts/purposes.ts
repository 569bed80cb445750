/** The purposes that the node knows (W3C Data Privacy Vocabulary), in the languages of the pages. */
import { dpvNamespace } from '@comity/core/consent/dpv-purposes'
import { purposeName } from '@comity/core/consent/purposes'
import { purposesAr } from './purposes-ar.ts'
import { purposesDe } from './purposes-de.ts'
import { purposesEs } from './purposes-es.ts'
import { purposesFr } from './purposes-fr.ts'

/** What a person reads for a purpose of the vocabulary; undefined for other IRIs. In English it is the purpose's name. */
export function purposeWords(iri: string, tag: string): string | undefined {
  const name = purposeName(iri)
  return name === undefined ? undefined : (tables[tag]?.get(iri.slice(dpvNamespace.length)) ?? name)
}

/** Words by name, of a table with one `Name: words` a line. */
function tableOf(text: string): ReadonlyMap<string, string> {
  const lines = text.trim().split('\n')
  return new Map(lines.map((line) => line.split(': ') as [string, string]))
}

const tables: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  de: tableOf(purposesDe),
  fr: tableOf(purposesFr),
  es: tableOf(purposesEs),
  ar: tableOf(purposesAr),
}
