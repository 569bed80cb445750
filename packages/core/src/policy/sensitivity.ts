/** How sensitive data is, in four levels. A label of a product's field has one; policies compare them. */

/** From what anybody may know to what only few may. The position is the level's number in policies: 0 to 3. */
export const sensitivities = ['public', 'internal', 'confidential', 'restricted'] as const

/** One of the levels. */
export type Sensitivity = (typeof sensitivities)[number]

/** The level's number, 0 to 3, by which levels are compared. */
export function sensitivityRank(level: Sensitivity): number {
  return sensitivities.indexOf(level)
}
