/** Who may open how many connections of a listener that strangers reach: one of them must not be able to keep all. */
import { countedAddress } from './counted-address.ts'

export interface ConnectionShares {
  /** False, and nothing taken, where the address has enough. */
  take(remoteAddress: string): boolean
  give(remoteAddress: string): void
}

/** When this part of all connections is open, an address gets no more than its part. */
const crowded = 1 / 2
const ownPart = 1 / 8

/** Shares of so many connections. */
export function createConnectionShares(connections: number): ConnectionShares {
  const open = new Map<string, number>()
  let total = 0
  return {
    take(remoteAddress) {
      const address = countedAddress(remoteAddress)
      const own = open.get(address) ?? 0
      if (total >= connections * crowded && own >= connections * ownPart) return false
      open.set(address, own + 1)
      total += 1
      return true
    },
    give(remoteAddress) {
      const address = countedAddress(remoteAddress)
      const own = open.get(address) ?? 0
      if (own > 1) open.set(address, own - 1)
      else open.delete(address)
      total -= 1
    },
  }
}
