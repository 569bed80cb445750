/** What sample values look like: mail addresses, phone numbers, IBANs, national ids, names, dates of birth. Guesses for a
 *  person to confirm; the values themselves never leave a detector. */
import type { Sensitivity } from '@comity/core/policy/sensitivity'
import { parsePhoneNumberFromString } from 'libphonenumber-js/min'
import { personValidators } from 'stdnum'
import validators from 'validator'
import { nameKind, type NameKind } from './field-names.ts'

/** The texts found at one field; numbers as they are written. */
export interface FieldSamples {
  readonly path: string
  readonly texts: readonly string[]
}

/** What a field seems to hold. */
export interface Finding {
  readonly path: string
  readonly kind: NameKind
  readonly domain: string
  readonly sensitivity: Sensitivity
  /** Holds no value of the field. */
  readonly reason: string
}

const labels: Readonly<Record<NameKind, { readonly domain: string; readonly sensitivity: Sensitivity }>> = {
  email: { domain: 'contact.email', sensitivity: 'confidential' },
  phone: { domain: 'contact.phone', sensitivity: 'confidential' },
  iban: { domain: 'finance.account', sensitivity: 'restricted' },
  'national-id': { domain: 'identity.number', sensitivity: 'restricted' },
  name: { domain: 'identity.name', sensitivity: 'confidential' },
  birth: { domain: 'identity.birth', sensitivity: 'confidential' },
}

/** Share of the samples that must look alike: single bad entries do not hide what a field holds. */
const enough = 0.8
/** Distinct values whose check digits must all be right where the field's name says nothing: with so many, chance is
 *  below one in a thousand though a hundred kinds of ids are tried. */
const distinctIds = 5

/** What the field seems to hold, the surest first; undefined when nothing is seen. */
export function detect(samples: FieldSamples): Finding | undefined {
  const texts = samples.texts.map((text) => text.normalize('NFKC').trim()).filter((text) => text !== '')
  const named = nameKind(samples.path)
  const kind = (found: NameKind, reason: string): Finding => ({
    path: samples.path,
    kind: found,
    ...labels[found],
    reason,
  })
  if (texts.length === 0) return named && kind(named, 'its name says so; there is no value to look at')
  const share = (test: (text: string) => boolean) => texts.filter(test).length / texts.length
  const counted = (ratio: number) => `${Math.round(ratio * texts.length)} of ${texts.length} values`
  const byValue = [
    ['email', isMail, 'are mail addresses'],
    ['iban', isAccount, 'are IBANs with right check digits'],
    ['phone', isInternationalPhone, 'are phone numbers that can exist'],
  ] as const
  for (const [found, test, words] of byValue) {
    const ratio = share(test)
    if (ratio >= enough || (ratio > 0 && named === found)) return kind(found, `${counted(ratio)} ${words}`)
  }
  const id = nationalId(texts, named === 'national-id')
  if (id !== undefined) return kind('national-id', id)
  if (named === undefined) return undefined
  if (named === 'name') {
    const ratio = share(isLikeName)
    return ratio >= enough ? kind('name', `its name says so, and ${counted(ratio)} are written like names`) : undefined
  }
  const isFitting = share(shapeOf[named]) >= enough
  return isFitting ? kind(named, 'its name says so, and its values have the shape') : undefined
}

/** Of values where the field's name says what they are. */
const shapeOf: Readonly<Record<Exclude<NameKind, 'name'>, (text: string) => boolean>> = {
  email: (text) => text.includes('@'),
  phone: (text) => /^[+(]?[\p{Nd} ()./-]{5,24}$/u.test(text),
  iban: (text) => /^[A-Z]{2}\d{2}[A-Z0-9 ]{8,36}$/i.test(text),
  'national-id': (text) => /^(?=.*\p{Nd})[\p{L}\p{Nd} ./-]{4,24}$/u.test(text),
  birth: (text) => /^\p{Nd}{1,4}[-./]\p{Nd}{1,2}(?:[-./]\p{Nd}{1,4})?(?:T.*)?$|^\p{Nd}{4}$/u.test(text),
}

function isMail(text: string): boolean {
  return validators.isEmail(text, { allow_utf8_local_part: true })
}

function isAccount(text: string): boolean {
  return validators.isIBAN(text.replace(/\s/g, '').toUpperCase())
}

/** Numbers without a country's code look like any other number. */
function isInternationalPhone(text: string): boolean {
  const plain = text.replace(/^00(?=[1-9])/, '+')
  return /^\+[\p{Nd} ()./-]{6,24}$/u.test(plain) && parsePhoneNumberFromString(plain)?.isValid() === true
}

/** Letters of any script, apostrophes, hyphens and dots, in one to six words. */
function isLikeName(text: string): boolean {
  return text.length <= 80 && /^\p{L}[\p{L}\p{M}.'’·・-]*(?:,? \p{L}[\p{L}\p{M}.'’·・-]*){0,5}$/u.test(text)
}

type Validator = (typeof personValidators)[string][number]

/** What shows that the texts are ids of one country; undefined when they need not be. */
function nationalId(texts: readonly string[], isNamed: boolean): string | undefined {
  const distinct = [...new Set(texts)]
  if (!isNamed && distinct.length < distinctIds) return undefined
  for (const [country, ofCountry] of Object.entries(personValidators)) {
    for (const validator of ofCountry) {
      const passing = distinct.filter((text) => hasCheckDigit(validator, text)).length
      const needed = isNamed ? Math.max(1, distinct.length * enough) : distinct.length
      if (passing < needed) continue
      const { name } = validator
      return `${passing} of ${distinct.length} distinct values have the check digit of ids like: ${name} (${country})`
    }
  }
  return undefined
}

/** Right as it is and wrong with another digit: what accepts both would accept any number of that length. */
function hasCheckDigit(validator: Validator, text: string): boolean {
  return text.length <= 32 && isValid(validator, text) && !isValid(validator, withOtherDigit(text))
}

function isValid(validator: Validator, text: string): boolean {
  try {
    return validator.validate(text).isValid
  } catch {
    return false
  }
}

function withOtherDigit(text: string): string {
  return text.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10))
}
