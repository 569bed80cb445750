/** Reads what `npm audit --json` says. Many registries and mirrors do not answer it at all. */

export interface AuditVerdict {
  readonly verdict: 'passed' | 'failed' | 'not asked'
  /** For people. */
  readonly lines: readonly string[]
}

interface Advised {
  readonly severity?: string
  readonly via?: readonly (string | { readonly title?: string; readonly url?: string })[]
}

const counted = ['high', 'critical']

/** An answer counts only when it names what was looked at: an error, or nothing, is no clean bill. */
export function judgeAudit(json: string): AuditVerdict {
  const answer = parse(json)
  const dependencies = member(member(answer, 'metadata'), 'dependencies')
  if (typeof member(dependencies, 'total') !== 'number') {
    const reason = member(answer, 'message') ?? member(member(answer, 'error'), 'summary')
    const said = typeof reason === 'string' && reason !== '' ? reason : 'nothing that can be read'
    return { verdict: 'not asked', lines: [`the registry does not tell known faults: ${said}`] }
  }
  const advised = Object.entries((member(answer, 'vulnerabilities') ?? {}) as Record<string, Advised>)
  const severe = advised.filter(([, { severity = '' }]) => counted.includes(severity))
  const total = String(member(dependencies, 'total'))
  if (severe.length === 0) return { verdict: 'passed', lines: [`no known faults of weight in ${total} packages`] }
  return {
    verdict: 'failed',
    lines: severe.map(([name, { severity, via = [] }]) => `${name} (${severity}): ${titles(via)}`),
  }
}

function titles(via: NonNullable<Advised['via']>): string {
  return via
    .map((each) => (typeof each === 'string' ? `by ${each}` : `${each.title ?? ''} ${each.url ?? ''}`))
    .join('; ')
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
