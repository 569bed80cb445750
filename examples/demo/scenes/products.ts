/** What the federation offers: the same API of athletes three times, for partners, for one person a call, and as files
 *  that are sealed; and a public one. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProductView } from '@comity/node/admin/admin-api'
import { stringify } from 'yaml'
import { athletesOpenApi, electricityOpenApi, profileOpenApi, type DemoApis } from '../apis.ts'
import { comityOf } from '../stage/participant.ts'
import type { Cast } from './cast.ts'

/** Which field belongs to which domain of data. What is in none of them never leaves. */
const domains = {
  'athlete.identity': ['id', 'name', 'nationality', 'sex'],
  'athlete.birth': ['date_of_birth'],
  'athlete.body': ['height', 'weight'],
  'athlete.sport': ['sport', 'gold', 'silver', 'bronze'],
}

/** The labels where athletes are offered to partners, remarks included. */
const data = {
  domains: { ...domains, 'athlete.remarks': ['info'] },
  operations: { listAthletes: { rows: '[]' } },
  withoutData: ['createObservation'],
}

/** What people read for the fields that they decide on. */
const fields = {
  sport: { en: 'Sport', de: 'Sportart' },
  height: { en: 'Height', de: 'Körpergröße' },
  weight: { en: 'Weight', de: 'Gewicht' },
  date_of_birth: { en: 'Date of birth', de: 'Geburtsdatum' },
}

export async function offer({ federation, root }: Cast, { athletesUrl, electricityUrl }: DemoApis) {
  const common = { version: '1.0.0', limits: { rate: { requests: 1_000, perSeconds: 60 } } }
  const athletes = { upstream: athletesUrl, ...common }
  const personal = { subject: { in: 'path', name: 'id' }, requestedFields: 'fields', domains, names: { fields } }
  const profiles = { id: 'profiles', title: 'Profile of an athlete', class: 'personal', openapi: profileOpenApi }
  const electricity = { id: 'electricity', title: 'Electricity in Iowa', class: 'public', openapi: electricityOpenApi }
  const references = { operations: ['listAthletes'], seconds: 60 }
  const sealed = { sealing: { answers: 'required' }, references }
  const files = { id: 'files', title: 'Files of athletes', openapi: athletesOpenApi, ...sealed }
  const products = [
    { id: 'athletes', title: 'Athletes', openapi: athletesOpenApi, ...athletes, data },
    { ...profiles, ...athletes, personal },
    { ...files, ...athletes, data },
    { ...electricity, upstream: electricityUrl, ...common },
  ]
  const folder = join(root, 'federation', 'products')
  await mkdir(folder, { recursive: true })
  for (const product of products) {
    const file = join(folder, `${product.id}.yaml`)
    await writeFile(file, stringify(product))
    await comityOf<ProductView>(federation, 'products', 'add', file)
  }
  return {
    detail: 'athletes and files for partners, profiles with consent, electricity for anyone',
    note: 'the first three are one API: as it is, sealed, and as each athlete decides',
    value: undefined,
  }
}
