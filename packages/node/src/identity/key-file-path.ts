/** Where the encrypted keys lie. */
import { join } from 'node:path'

/** Path of the key file in a keys directory. */
export function keyFilePath(directory: string): string {
  return join(directory, 'keys.json')
}
