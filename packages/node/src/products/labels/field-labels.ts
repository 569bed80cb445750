/** The labels of a product's fields: to which domain of data each belongs, and how sensitive it is. */
import { coversDomain } from '@comity/core/consent/data-domain'
import { coversField } from '@comity/core/consent/field-path'
import type { Sensitivity } from '@comity/core/policy/sensitivity'
import type { DataConfig } from './data-config.ts'
import type { PersonalConfig } from './personal-config.ts'

/** A field of the product's rows, the domain its data belong to, and its level. */
export interface FieldLabel {
  readonly path: string
  readonly domain: string
  readonly sensitivity: Sensitivity
}

/** The labels of a section, in its order. */
export function labelsOf(config: DataConfig | PersonalConfig): FieldLabel[] {
  const usual = config.sensitivity.default ?? ('withoutSubject' in config ? 'confidential' : 'internal')
  return Object.entries(config.domains).flatMap(([domain, paths]) =>
    paths.map((path) => ({ path, domain, sensitivity: levelOf(config.sensitivity, { path, domain }) ?? usual })),
  )
}

/** What is said of the field itself or the nearest that holds it, else of the nearest domain. */
function levelOf(
  { fields, domains }: DataConfig['sensitivity'],
  { path, domain }: Pick<FieldLabel, 'path' | 'domain'>,
): Sensitivity | undefined {
  return (
    longest(fields, (field) => coversField(field, path)) ?? longest(domains, (other) => coversDomain(other, domain))
  )
}

/** The value of the longest name that fits: of names that all cover the same, the longest is the nearest. */
function longest<T>(values: Readonly<Record<string, T>>, fits: (name: string) => boolean): T | undefined {
  const [name] = Object.keys(values)
    .filter(fits)
    .toSorted((a, b) => b.length - a.length)
  return name === undefined ? undefined : values[name]
}
