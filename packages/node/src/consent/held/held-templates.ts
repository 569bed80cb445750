/** The templates that this node asks with: signed once, versioned, never replaced. */
import { parseTemplate, signTemplate, type ConsentTemplate } from '@comity/core/consent/consent-template'
import type { SigningKey } from '@comity/core/crypto/crypto'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { SignedTemplate } from './held-consent.ts'
import { recordStep, type RecordEvent } from './held-parts.ts'
import type { HeldStore } from './held-store.ts'

export interface TemplateParts {
  /** Own DID. */
  readonly did: string
  readonly clock: Clock
  readonly newId: () => string
  readonly store: Pick<HeldStore, 'insertTemplate' | 'listTemplates' | 'findTemplate'>
  readonly record: RecordEvent
  /** The key that signs now. */
  readonly assertionKey: () => { readonly keyid: string; readonly key: SigningKey }
}

/** A template and its signed form. */
export interface TemplateView extends SignedTemplate {
  readonly template: ConsentTemplate
}

export interface Templates {
  /** Signs a template (JSON value, `iss` may be left out) and keeps it. The same again changes nothing. Throws
   *  `template-invalid`, and `already-exists` for another content under the same id and version. */
  sign(value: unknown): Promise<TemplateView>
  /** Newest first. */
  list(): Promise<TemplateView[]>
  /** Of the version, or the newest. Throws `template-invalid` when there is none. */
  find(id: string, version?: string): Promise<TemplateView>
}

export function createTemplates(parts: TemplateParts): Templates {
  const { store } = parts
  return {
    sign: (value) => sign(parts, value),
    list: async () => (await store.listTemplates()).map(viewOf),
    async find(id, version) {
      const found = await store.findTemplate(id, version)
      if (found !== undefined) return viewOf(found)
      throw new Problem('template-invalid', 'no template of this id and version was signed here')
    },
  }
}

async function sign(parts: TemplateParts, value: unknown): Promise<TemplateView> {
  const { did, store, clock, assertionKey } = parts
  const stated = typeof value === 'object' && value !== null ? { iss: did, ...value } : value
  const signedMs = clock.now()
  const jws = signTemplate(stated as ConsentTemplate, assertionKey(), signedMs)
  const { template, hash } = parseTemplate(jws)
  const { id, version } = template
  const earlier = await store.findTemplate(id, version)
  if (earlier?.hash === hash) return viewOf(earlier)
  if (earlier !== undefined) throw otherContent(id, version)
  const facts = { type: 'template-signed', template: id, version, hash }
  await recordStep(parts, facts, [store.insertTemplate({ id, version, hash, jws, signedMs })])
  const kept = await store.findTemplate(id, version)
  if (kept?.hash !== hash) throw otherContent(id, version)
  return viewOf(kept)
}

function otherContent(id: string, version: string): Problem {
  return new Problem(
    'already-exists',
    `version ${version} of \`${id}\` was signed with another content: give it a new one`,
  )
}

function viewOf(signed: SignedTemplate): TemplateView {
  return { ...signed, template: parseTemplate(signed.jws).template }
}
