/** `comity subjects`: a link for a person, erasing one, and who comes back. */
import type {
  SubjectErasedView,
  SubjectLinkView,
  SubjectReadmittedView,
  SubjectResetView,
} from '@comity/node/admin/consent-api'
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

export async function resetSubject(context: CommandContext, reference: string): Promise<void> {
  const done = await (await connect(context)).post<SubjectResetView>('/v1/subjects/reset', { reference })
  show(context, done, () => ['their sessions and links to all consents are over, their passkeys are forgotten'])
}

export async function readmitSubject(context: CommandContext, reference: string): Promise<void> {
  const done = await (await connect(context)).post<SubjectReadmittedView>('/v1/subjects/readmit', { reference })
  show(context, done, () => ['the person can be asked again; what was erased stays erased'])
}
