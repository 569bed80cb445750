/** docs/operating/cli.md: every command with its arguments and options, from the command's own tree. */
import { buildProgram } from '../../packages/cli/src/run-command.ts'

type Command = ReturnType<typeof buildProgram>
type Argument = Command['registeredArguments'][number]
type Option = Command['options'][number]

/** The page as Markdown. */
export function cliPage(): string {
  const program = buildProgram()
  return `${introduction}
## For every command

${optionTable(program.options)}
${program.commands.flatMap((command) => sections(command, ['comity'])).join('\n')}`
}

const introduction = `<!-- Written by \`npm run docs\` from packages/cli/src/run-command.ts. Do not edit. -->

# The \`comity\` command

Commands that manage a node talk to its admin listener on the same machine, with the token that \`comity init\` wrote;
others need no running node:

| without a running node | |
|---|---|
| \`init\`, \`config check\`, \`start\` | begin with files alone |
| \`doctor\` | leaves out what only a running node can show |
| \`verify …\` | everything from files, or what it is told to fetch |
| \`products test\`, \`products labels\`, \`products diff\` | products of files and of \`comity.yaml\`; those that were added to a node while it runs |
| \`policy schema\`, \`policy check\`, \`policy test\` | policies of files |
| \`scan\` | files and git histories |
| \`log show --dir\` | a published log on disk |
| \`log rebuild\` | only while the node is stopped |

Exit codes: 0 done, 1 refused or failed, 2 the arguments are wrong.
`

/** A group's commands, or the command itself. */
function sections(command: Command, way: readonly string[]): string[] {
  const here = [...way, command.name()]
  if (command.commands.length > 0) return command.commands.flatMap((each) => sections(each, here))
  const usage = [...here, ...command.registeredArguments.map(argumentText)].join(' ')
  const options = command.options.length > 0 ? `\n${optionTable(command.options)}` : ''
  return [`## \`${usage}\`\n\n${sentence(command.description())}\n${options}`]
}

function argumentText(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? '...' : '')
  return argument.required ? `<${name}>` : `[${name}]`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function optionTable(options: readonly Option[]): string {
  return `| option | what for | unless given |\n|---|---|---|\n${options.map(row).join('\n')}\n`
}

function row(option: Option): string {
  const choices =
    option.argChoices === undefined ? '' : `: ${option.argChoices.map((choice) => `\`${choice}\``).join(', ')}`
  return `| \`${cell(option.flags)}\` | ${cell(option.description)}${choices} | ${defaultText(option)} |`
}

const spans = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const

function defaultText({ mandatory, defaultValue, flags }: Option): string {
  if (mandatory) return 'must be given'
  if (defaultValue === undefined || defaultValue === false) return ''
  if (!flags.includes('<span>')) return `\`${[defaultValue].flat().join(' ')}\``
  const ms = Number(defaultValue)
  const [unit, length] = spans.find(([, each]) => ms % each === 0) ?? ['s', 1_000]
  return `\`${ms / length}${unit}\``
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
