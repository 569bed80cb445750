/** `comity subjects`: a link for a person, erasing one, and who comes back. */
import type {
  SubjectErasedView,
  SubjectLinkView,
  SubjectReadmittedView,
  SubjectResetView,
} from '@comity/node/admin/consent-api'
import { counted } from '@comity/core/bytes/counted'
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
      'confirmation-needed',
      'this ends every consent of the person, tells all recipients, and destroys the key of everything that this node ' +
        'keeps about them: records, requests, what was read and why; nothing brings that back, so say `--yes`',
    )
  }
  const { ended, forgotten } = await (
    await connect(context)
  ).post<SubjectErasedView>('/v1/subjects/erase', { reference })
  show(context, { ended, forgotten }, () => [
    `erased; ${counted(ended, 'consent')} ended with it, ${counted(forgotten, 'held consent')} kept without a name`,
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
