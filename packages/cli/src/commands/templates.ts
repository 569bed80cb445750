/** `comity templates`: what this organisation asks for again and again, signed. */
import type { TemplateView } from '@comity/node/admin/consent-api'
import { connect, show, writeTextFile, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'
import { readYamlFile } from '../read-yaml.ts'

export async function listTemplates(context: CommandContext): Promise<void> {
  const templates = await (await connect(context)).all<TemplateView>('/v1/templates')
  const rows = templates.map(({ id, version, title, signed }) => [id, version, Object.values(title)[0] ?? '', signed])
  show(context, templates, () => table([['id', 'version', 'title', 'signed'], ...rows]))
}

export async function signTemplate(
  context: CommandContext,
  file: string,
  { out }: { readonly out?: string },
): Promise<void> {
  const template = await readYamlFile(file, 'a consent template')
  const signed = await (await connect(context)).post<TemplateView>('/v1/templates', template)
  if (out !== undefined) await writeTextFile(out, `${signed.jws}\n`)
  show(context, signed, () => [
    `${signed.id}@${signed.version} is signed; ask with \`comity consents request --template\``,
  ])
}
