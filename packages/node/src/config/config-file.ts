/** Reads `comity.yaml`, before anything of it is checked but that it is YAML. */
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Problem } from '@comity/core/problems'
import { maxConfigBytes, readConfigDocument, type ConfigDocument } from './config-document.ts'

export interface ConfigFile {
  /** As it was named. */
  readonly path: string
  /** The same, absolute. */
  readonly file: string
  readonly document: ConfigDocument
}

/** Throws `config-invalid` when the file cannot be read; what is wrong in it is in the document. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const file = resolve(path)
  return { path, file, document: readConfigDocument(await textOf(file)) }
}

async function textOf(file: string): Promise<string> {
  try {
    await using handle = await open(file)
    const { size } = await handle.stat()
    if (size > maxConfigBytes) throw new Problem('config-invalid', `\`${file}\` is larger than ${maxConfigBytes} bytes`)
    return new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile())
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    if (cause instanceof TypeError) throw new Problem('config-invalid', `\`${file}\` is not UTF-8 text`, { cause })
    throw new Problem('config-invalid', `\`${file}\` cannot be read; \`comity init\` writes one`, { cause })
  }
}
