/** Reads files that people write: YAML, of which JSON is a part. */
import { parse } from 'yaml'
import { Problem } from '@comity/core/problems'
import { readTextFile } from './command-context.ts'

/** The mapping in a file. Throws `malformed-request` that names the file and says what it is not (`a product`). */
export async function readYamlFile(file: string, what: string): Promise<Record<string, unknown>> {
  const value = parseYaml(await readTextFile(file), file)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new Problem('malformed-request', `\`${file}\` does not describe ${what}`)
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100, logLevel: 'error' }) as unknown
  } catch (cause) {
    const [why = ''] = cause instanceof Error ? cause.message.split('\n') : []
    throw new Problem('malformed-request', `\`${file}\` is not YAML: ${why}`, { cause })
  }
}
