/** What a product's sealing does not go with. */
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'
import type { SettingsFault } from './labels/data-config.ts'

/** What is judged; any of it may be absent. */
export interface SealingDraft {
  readonly sealing?: { readonly [K in keyof SealingSettings]?: unknown } | undefined
  readonly personal?: SectionDraft | undefined
  readonly data?: SectionDraft | undefined
}

interface SectionDraft {
  readonly operations?: Readonly<Record<string, { readonly stream?: boolean | undefined } | undefined>> | undefined
}

/** A streamed answer leaves before it is whole, and an envelope is made of the whole. */
export function sealingFaults({ sealing, personal, data }: SealingDraft): SettingsFault[] {
  const { answers } = sealing ?? {}
  if (answers === undefined || answers === 'off') return []
  const operations = Object.entries({ ...personal?.operations, ...data?.operations })
  const streamed = operations.flatMap(([id, operation]) => (operation?.stream === true ? [`\`${id}\``] : []))
  if (streamed.length === 0) return []
  const message = `does not go with answers that are streamed, which are not sealed: ${streamed.join(', ')}; offer them as a product of their own, or leave out \`stream\``
  return [{ path: ['sealing', 'answers'], message }]
}
