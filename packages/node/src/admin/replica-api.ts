/** Replicas as the admin API shows them: what is kept and why, never what is in it. */

export interface ReplicaView {
  readonly id: string
  /** DID. */
  readonly holder: string
  readonly product: string
  readonly version?: string | undefined
  readonly operation?: string | undefined
  readonly agreement?: string | undefined
  readonly purpose?: string | undefined
  readonly consent?: string | undefined
  /** Id of the exchange that brought it. */
  readonly exchange: string
  /** RFC 3339. */
  readonly fetched: string
  /** When the holder said last that it would answer the same. */
  readonly validated: string
  /** When the holder said last that the consent stands; absent for what is about nobody. */
  readonly confirmed?: string | undefined
  /** End of the retention. */
  readonly until?: string | undefined
  /** False when the content was taken away and own fields are left. */
  readonly hasContent: boolean
  readonly hasOwnFields: boolean
}
