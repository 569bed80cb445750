/** `comity subjects`: a link for a person, and erasing one. */
import type { SubjectErasedView, SubjectLinkView } from '@comity/node/admin/consent-api'
import { Problem } from '@comity/core/problems'
import { connect, show, type CommandContext } from '../command-context.ts'

export async function linkSubject(context: CommandContext, reference: string): Promise<void> {
  const link = await (await connect(context)).post<SubjectLinkView>('/v1/subjects/link', { reference })
  show(context, link, () => [
    link.url,
    `works once, until ${link.expires}; send it through a channel that only the person reads`,
  ])
}

export async function eraseSubject(
  context: CommandContext,
  reference: string,
  { yes }: { readonly yes: boolean },
): Promise<void> {
  if (!yes) {
    throw new Problem(
      'malformed-request',
      'this ends all consents of the person and makes everything kept about them unreadable for ever: say `--yes`',
    )
  }
  const { ended, forgotten } = await (
    await connect(context)
  ).post<SubjectErasedView>('/v1/subjects/erase', { reference })
  show(context, { ended, forgotten }, () => [
    `erased; ${ended} consents ended with it, ${forgotten} held consents name nobody any more`,
  ])
}
