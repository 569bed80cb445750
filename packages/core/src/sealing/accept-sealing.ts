/** The field `Comity-Accept-Sealing` of a request: what the caller can open, with which keys, and whether it takes an
 *  answer in clear. The request's signature covers it, so that nobody on the way weakens it.
 *
 *      Comity-Accept-Sealing: offer=(HPKE-9;kid="agree-hybrid-6mM3" HPKE-3;kid="agree-x0b1"), required */
import { Token, serializeDictionary, type BareItem, type InnerList, type Item } from 'structured-headers'
import { parseStrictDictionary } from '../http-signatures/structured-fields.ts'
import { Problem } from '../problems.ts'
import { isSealingAlgorithm, type SealingOffer } from './sealing-algorithms.ts'

/** Name of the field. */
export const acceptSealingField = 'comity-accept-sealing'

/** What a caller says of the answer it wants. */
export interface AcceptedSealing {
  /** In no order that binds; key ids are absolute. */
  readonly offers: readonly SealingOffer[]
  readonly isRequired: boolean
}

const maxOffers = 16
const fragment = /^[\w.~-]{1,128}$/

/** The field's value. The keys must be below one DID: their fragments stand in it. */
export function formatAcceptSealing({ offers, isRequired }: AcceptedSealing): string {
  const list: Item[] = offers.map(({ algorithm, keyid }) => [
    new Token(algorithm),
    new Map([['kid', keyid.slice(keyid.indexOf('#') + 1)]]),
  ])
  const members = new Map<string, Item | InnerList>([['offer', [list, new Map()]]])
  if (isRequired) members.set('required', [true, new Map()])
  return serializeDictionary(members)
}

/** Reads the field of a request by `did`. Algorithms that this version does not know are left out; members likewise.
 *  Throws `malformed-request` for anything else that is not as `formatAcceptSealing` writes it. */
export function parseAcceptSealing(value: string, did: string): AcceptedSealing {
  const members = parseStrictDictionary(acceptSealingField, value, 'malformed-request')
  const list = members.get('offer')?.[0]
  const required = members.get('required')?.[0] ?? false
  if (!Array.isArray(list) || list.length > maxOffers || typeof required !== 'boolean') throw malformed()
  const offers = (list as readonly Item[]).flatMap(([name, params]) => offerOf(name, params, did))
  return { offers, isRequired: required }
}

function offerOf(name: BareItem, params: ReadonlyMap<string, BareItem>, did: string): SealingOffer[] {
  const kid = params.get('kid')
  if (!(name instanceof Token) || typeof kid !== 'string' || !fragment.test(kid)) throw malformed()
  const algorithm = name.toString()
  return isSealingAlgorithm(algorithm) ? [{ algorithm, keyid: `${did}#${kid}` }] : []
}

function malformed(): Problem {
  const detail = `the field \`${acceptSealingField}\` is not \`offer=(algorithm;kid="…" …)\`, with or without \`required\``
  return new Problem('malformed-request', detail)
}
