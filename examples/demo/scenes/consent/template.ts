/** What the lab asks athletes for: a template that it writes once and signs. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TemplateView } from '@comity/node/admin/consent-api'
import { stringify } from 'yaml'
import { comityOf } from '../../stage/participant.ts'
import { purpose, type Cast } from '../cast.ts'

export const templateId = 'urn:example:sports-medicine'

/** What comes to whom when the consent ends, and who else may get a part. */
const retention = { for: 'P1Y', onWithdrawal: 'delete', deleteWithin: 'P7D' }
const common = { effect: 'permit', purposes: [purpose], actions: ['read'], products: ['profiles'], retention }

const texts = {
  en: 'We study how sport forms the body. For this we ask for your sport, height, weight and year of birth.',
  de: 'Wir untersuchen, wie Sport den Körper formt. Dafür bitten wir um Sportart, Größe, Gewicht und Geburtsjahr.',
}

function templateOf({ statistics }: Cast): object {
  return {
    id: templateId,
    version: '1',
    kind: 'personal',
    title: { en: 'Research in sports medicine', de: 'Sportmedizinische Forschung' },
    notice: { text: texts },
    duration: 'P1Y',
    parties: [{ id: statistics.did, role: 'processor', name: 'Statistics' }],
    grants: [
      {
        ...common,
        grant: 'sport',
        title: { en: 'Your sport', de: 'Ihre Sportart' },
        domains: ['athlete.sport'],
        fields: { include: ['sport'] },
      },
      {
        ...common,
        grant: 'body',
        title: { en: 'Your body', de: 'Ihr Körper' },
        domains: ['athlete.body'],
        onward: { allow: 'listed', recipients: [statistics.did], maxDepth: 1 },
      },
      {
        ...common,
        grant: 'birth',
        title: { en: 'Your year of birth', de: 'Ihr Geburtsjahr' },
        domains: ['athlete.birth'],
        transforms: [{ path: 'date_of_birth', op: 'year' }],
      },
    ],
  }
}

/** Writes the template and has the lab's node sign it. */
export async function signTemplate(cast: Cast) {
  const file = join(cast.lab.directory, 'sports-medicine.yaml')
  await writeFile(file, stringify(templateOf(cast)))
  const { id, version } = await comityOf<TemplateView>(cast.lab, 'templates', 'sign', file)
  return {
    detail: `${id}@${version}, signed by the lab`,
    note: `sport, height, weight and year of birth, for ${purpose}`,
    value: undefined,
  }
}
