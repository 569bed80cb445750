/** docs/problems.md: the reference of every error, from the table in core. */
import { problemKinds, problemType, type ProblemCode } from '@comity/core/problems'

/** The page as Markdown. */
export function problemsPage(): string {
  const codes = Object.keys(problemKinds) as ProblemCode[]
  return `${introduction}
| code | status | what went wrong | what to do |
|---|---|---|---|
${codes.toSorted().map(row).join('\n')}
`
}

const introduction = `<!-- Written by \`npm run docs\` from packages/core/src/problems.ts. Do not edit. -->

# Problems

Every error of a node is a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), served as
\`application/problem+json\`. Programs switch on \`code\`; it never changes its meaning. \`detail\` says what was wrong with
this very request, \`remedy\` what would make it succeed. Some codes carry further members, named in the table in
backticks. An answer never says whether something exists that the caller may not see.

\`\`\`json
{
  "type": "${problemType('nonce-replayed')}",
  "title": "${problemKinds['nonce-replayed'].title}",
  "status": ${problemKinds['nonce-replayed'].status},
  "code": "nonce-replayed",
  "detail": "the nonce of this request was seen before",
  "remedy": "${problemKinds['nonce-replayed'].remedy}"
}
\`\`\`

The problem type of a code is \`${problemType('not-found').replace('not-found', '<code>')}\`, but where others have named that kind
of problem already:

${shared().join('\n')}
`

/** The codes whose type is not the node's own. */
function shared(): string[] {
  return Object.entries(problemKinds).flatMap(([code, { type }]) =>
    type === undefined ? [] : [`- \`${code}\`: \`${type}\``],
  )
}

function row(code: ProblemCode): string {
  const { status, title, remedy } = problemKinds[code]
  return `| \`${code}\` | ${status} | ${cell(title)} | ${cell(remedy)} |`
}

/** A pipe would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
