/** Limits on a policy in Cedar's JSON form, beyond what Cedar itself checks. */

/** What is wrong with it, one sentence each: expressions nested deeper than `maxDepth`, and whole numbers that JSON in
 *  JavaScript cannot hold exactly. */
export function estFaults(json: unknown, maxDepth: number): string[] {
  const found = { depth: 0, hasInexactNumber: false }
  visit(json, 0, found)
  return [
    ...(found.depth > maxDepth
      ? [`its expressions are nested more than ${maxDepth} deep; use several policies, or sets with \`contains\``]
      : []),
    ...(found.hasInexactNumber ? [`it names a whole number beyond ±${Number.MAX_SAFE_INTEGER}`] : []),
  ]
}

function visit(value: unknown, depth: number, found: { depth: number; hasInexactNumber: boolean }): void {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) found.hasInexactNumber = true
  if (typeof value !== 'object' || value === null) return
  // An expression is an object around its operands' object; lists and operands do not count by themselves.
  const members = Object.entries(value)
  const isOperator = !Array.isArray(value) && members.length === 1
  if (isOperator) found.depth = Math.max(found.depth, depth + 1)
  for (const [, member] of members) visit(member, isOperator ? depth + 1 : depth, found)
}
