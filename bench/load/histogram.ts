/** Latencies in a fixed amount of memory, after HdrHistogram: buckets that double, each cut into 64 parts, so that a
 *  percentile is exact to 1.6 %. */

const SUB_BITS = 6
const SUB_COUNT = 1 << SUB_BITS
const BUCKETS = 24

/** Counts of latencies; give it microseconds up to about 17 minutes, anything longer counts as that. */
export class Histogram {
  readonly #counts = new Uint32Array((BUCKETS + 1) * SUB_COUNT)
  #total = 0

  record(micros: number): void {
    const value = Math.min(Math.max(micros, 0), 2 ** (BUCKETS + SUB_BITS) - 1) | 0
    const shift = Math.max(0, 32 - SUB_BITS - 1 - Math.clz32(value))
    const index = (shift << SUB_BITS) + (value >>> shift)
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#total++
  }

  /** The latency in milliseconds that `share` (0..1) of the requests did not pass; 0 when there were none. */
  percentileMs(share: number): number {
    const wanted = Math.ceil(this.#total * share)
    let seen = 0
    for (const [index, count] of this.#counts.entries()) {
      seen += count
      if (count > 0 && seen >= wanted) return middleOf(index) / 1000
    }
    return 0
  }
}

/** Inverse of the index: values below 128 µs stand alone, then each doubling has 64 parts. */
function middleOf(index: number): number {
  const shift = Math.max(0, (index >>> SUB_BITS) - 1)
  return (index - (shift << SUB_BITS) + 0.5) * 2 ** shift
}
