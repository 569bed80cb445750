/** The part of the tree that is about replicas: `comity replicas`. */
import { InvalidArgumentError, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'

const loadReplicas = () => import('./commands/replicas.ts')

function limit(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1_000) return Number(text)
  throw new InvalidArgumentError('must be a whole number from 1 to 1000')
}

export function addReplicas(program: Command, context: ContextOf): void {
  const replicas = program.command('replicas').description('what this node keeps of what it received')
  replicas
    .command('list')
    .description('the replicas, by id; never what is in them')
    .option('--holder <partner>', 'only of this partner, by alias or DID')
    .option('--consent <id>', 'only under this consent')
    .option('--after <id>', 'from behind this one')
    .option('--limit <count>', 'how many', limit, 100)
    .action(async (options: object) => (await loadReplicas()).listReplicas(context(), options as never))
  replicas
    .command('show <id>')
    .description('one replica: where it is from, under which consent, until when, as JSON')
    .action(async (id: string) => (await loadReplicas()).showReplica(context(), id))
  replicas
    .command('remove <id>')
    .description('remove a replica, with its own fields')
    .action(async (id: string) => (await loadReplicas()).removeReplica(context(), id))
}
