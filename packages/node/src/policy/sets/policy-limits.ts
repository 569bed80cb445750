/** How large a set of policies may be. What is beyond is refused before Cedar reads it. */

/** All texts of a set together, in UTF-8. */
export const maxSetBytes = 4 * 1024 * 1024
export const maxPolicies = 10_000
/** Characters of one policy. */
export const maxPolicyLength = 64 * 1024
/** Brackets within brackets: Cedar's own stack ends at about four times as many. */
export const maxBrackets = 32
/** Expressions within expressions; each `&&` of a chain is within the next. */
export const maxExpressionDepth = 150
/** The whole preparation of a set. */
export const preparationTimeoutMs = 60_000
