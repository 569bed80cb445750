/** The words of the pages about a person's rights, one object a language. `{name}` stands for a value. */
import type { RightsStatus, RightsType } from '@comity/core/rights/rights-request'
import { rightsTextsAr } from './rights-texts-ar.ts'
import { rightsTextsDe } from './rights-texts-de.ts'
import { rightsTextsEn } from './rights-texts-en.ts'
import { rightsTextsEs } from './rights-texts-es.ts'
import { rightsTextsFr } from './rights-texts-fr.ts'

export interface RightsTexts {
  readonly title: string
  readonly intro: string
  /** For who came by a link to one decision. */
  readonly otherLink: string
  readonly askHeading: string
  /** What it is called, and what it means. */
  readonly right: Readonly<Record<RightsType, readonly [name: string, meaning: string]>>
  readonly ownHeading: string
  readonly none: string
  readonly status: Readonly<Record<RightsStatus, string>>
  readonly statusLabel: string
  readonly received: string
  readonly due: string
  readonly overdue: string
  readonly longer: string
  readonly closed: string
  readonly lifted: string
  readonly details: string
  readonly messageLabel: string
  readonly fieldLabel: string
  readonly fieldNone: string
  readonly valueLabel: string
  readonly eraseSure: string
  readonly sendButton: string
  readonly invalid: string
  readonly storesHeading: string
  readonly recipientsHeading: string
  readonly report: Readonly<Record<'open' | 'done' | 'refused', string>>
  readonly takeBack: string
  readonly download: string
  readonly downloadHint: string
}

const texts: Readonly<Record<string, RightsTexts>> = {
  en: rightsTextsEn,
  de: rightsTextsDe,
  fr: rightsTextsFr,
  es: rightsTextsEs,
  ar: rightsTextsAr,
}

/** The words in a language of the pages (BCP 47 tag); English for any other. */
export function rightsTexts(tag: string): RightsTexts {
  return texts[tag] ?? rightsTextsEn
}
