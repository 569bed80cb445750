/** What the rest of the node may know of a personal product: enough to tell whether a consent could be kept to. */
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import type { DataPlan } from './data-plan.ts'
import type { FieldLabel } from './field-labels.ts'

export interface PersonalDescription {
  /** Labelled fields in the order of the configuration. No other field ever leaves. */
  readonly labels: readonly FieldLabel[]
  /** Domains that have fields, in the same order. */
  readonly domains: readonly string[]
  /** What its operations about a person do. */
  readonly actions: readonly ConsentAction[]
  /** Those of them whose rows carry no date: a consent to a period covers nothing that they answer. */
  readonly undated: readonly UndatedOperation[]
  /** True when a call can ask for some of the fields only. */
  readonly takesRequestedFields: boolean
}

export interface UndatedOperation {
  /** Its `operationId`. */
  readonly id: string
  readonly action: ConsentAction
  /** Labelled fields that its answers may have, by path. */
  readonly fields: readonly string[]
}

export interface PersonalProduct {
  describe(): PersonalDescription
}

/** Describes a plan. */
export function describePersonal({ labels, operations }: DataPlan): PersonalProduct {
  const planned = [...operations.values()]
  const description: PersonalDescription = {
    labels,
    domains: [...new Set(labels.map(({ domain }) => domain))],
    actions: [...new Set(planned.map(({ action }) => action))],
    undated: [...operations].flatMap(([id, { action, layout, carries }]) =>
      layout.date === undefined ? [{ id, action, fields: carries.map(({ path }) => path) }] : [],
    ),
    takesRequestedFields: planned.some(({ requestedFields }) => requestedFields !== undefined),
  }
  return { describe: () => description }
}
