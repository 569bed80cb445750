/** The part of the tree that checks evidence: `comity verify`. */
import type { Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'

export function addVerify(program: Command, context: ContextOf): void {
  const verify = program.command('verify').description('check evidence offline, from files or https URLs')
  verify
    .command('receipt <file-or-url>')
    .description('a receipt (.jws) against its holder’s DID document')
    .option('--did-document <file-or-url>', 'the holder’s DID document; not needed for a did:key or did:jwk')
    .option('--answer <file>', 'content that must be the answer; of a composite it is held part by part')
    .action(async (file: string, options: object) =>
      (await import('./commands/verify.ts')).verifyReceiptFile(context(), file, options as never),
    )
  verify
    .command('duty <file-or-url>')
    .description('the receipt of a duty (.jws, or what `duties show` printed) against its debtor’s DID document')
    .option('--did-document <file-or-url>', 'the debtor’s DID document; not needed for a did:key or did:jwk')
    .option('--at <time>', 'judge its times as of then, in place of now')
    .action(async (file: string, options: object) =>
      (await import('./commands/verify-duty.ts')).verifyDuty(context(), file, options as never),
    )
  verify
    .command('log <directory-or-url>')
    .description('a whole log: checkpoint signature, every tile and entry, the root')
    .option('--vkey <vkey-or-file>', 'the log’s verifier key; log.vkey beside the checkpoint unless given')
    .option('--old-checkpoint <file>', 'an earlier checkpoint that this log must be an extension of')
    .action(async (place: string, options: object) =>
      (await import('./commands/verify.ts')).verifyLog(context(), place, options as never),
    )
  verify
    .command('consent <file-or-url>')
    .description('a consent record or an exported consent (.json): its chain, its steps and who signed it')
    .option('--did-document <file-or-url>', 'the holder’s DID document; not needed for a did:key or did:jwk')
    .option('--status', 'ask the holder’s status list whether it still stands', false)
    .action(async (file: string, options: object) =>
      (await import('./commands/verify-consent.ts')).verifyConsent(context(), file, options as never),
    )
  verify
    .command('rights <file-or-url>')
    .description('the signed answer to a person’s request (.json), with the chains, exchanges and receipts in it')
    .option(
      '--did-document <file-or-url...>',
      'DID documents of the holder and of those whose receipts are in it; not needed for a did:key or did:jwk',
    )
    .action(async (file: string, options: object) =>
      (await import('./commands/verify-rights.ts')).verifyRights(context(), file, options as never),
    )
  verify
    .command('exchange <file-or-url...>')
    .description('exported exchanges: who asked what, what was answered, and that it is in the log')
    .option('--did-document <file-or-url...>', 'DID documents to trust instead of the embedded ones')
    .option('--vkey <vkey-or-file>', 'the verifier key of the holder’s log; that of its DID document unless given')
    .option('--answer <file>', 'content that must be the answer of the exchange, whether it travelled sealed or not')
    .option('--body <file>', 'content that must be the body of the request')
    .action(async (files: string[], options: object) =>
      (await import('./commands/verify.ts')).verifyExchange(context(), files, options as never),
    )
}
