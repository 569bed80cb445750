/** Text out of bytes that arrive in pieces: valid UTF-8 or a fault, no character torn apart. */

/** Throws a `TypeError` for what is not UTF-8, in `end` for a character that never came whole. */
export interface Utf8Reader {
  push(chunk: Uint8Array): string
  end(): void
}

const noBytes = new Uint8Array(0)

/** A reader for one text. */
export function createUtf8Reader(): Utf8Reader {
  // A mark at the beginning of a chunk is a character like any other.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let carried: Uint8Array = noBytes
  return {
    push(chunk) {
      const bytes = carried.length === 0 ? chunk : joined(carried, chunk)
      const whole = wholeLength(bytes)
      carried = whole === bytes.length ? noBytes : bytes.slice(whole)
      return decoder.decode(whole === bytes.length ? bytes : bytes.subarray(0, whole))
    },
    end() {
      decoder.decode(carried)
    },
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

/** How many bytes are whole characters: all, or all but the beginning of the last one. */
function wholeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number
    if (byte < 0x80) return bytes.length
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return needed > back ? bytes.length - back : bytes.length
    }
  }
  return bytes.length
}
