/** What was found when a product was held against what it promises. */

/** `example`: one that the document gives. `call`: whether the operation answered. `answer`: whether it was as declared.
 *  `labels`: whether every field of it has one. */
export type ContractCheck = 'example' | 'call' | 'answer' | 'labels'

/** One finding. The detail names members and rules, never values of an answer. */
export interface ContractFinding {
  /** `operationId`. */
  readonly operation: string
  readonly check: ContractCheck
  readonly outcome: 'good' | 'bad' | 'skipped'
  readonly detail: string
}
