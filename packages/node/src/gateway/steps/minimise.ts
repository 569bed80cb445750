/** Step 11, `minimise`: the answer is judged by the operation's schema; what is not declared does not leave. Of an
 *  answer about a person, what the consent releases and nothing else leaves, and what is withheld is named. */
import { formatStringList } from '@comity/core/http-signatures/structured-fields'
import type { Answer, InboundCall, Step } from '../inbound-call.ts'
import type { ConsentGiven, MatchedOperation, OfferedProduct } from '../ports.ts'

interface Answered {
  readonly product: OfferedProduct
  readonly operation: MatchedOperation
  readonly answer: Answer
}

/** Longest list of what is withheld: all fields of an answer together must not be too long for those who read it. */
const maxNamedLength = 3_000

function withhold({ product, operation, answer }: Answered, consent: ConsentGiven): Answer {
  const { release, keyedHash, pairwise } = consent
  const means = { keyedHash, pseudonym: pairwise }
  const { status, headers, body } = product.minimise(operation, answer, { release, means })
  const named = formatStringList(release.withheld)
  if (status >= 400 || named === '' || named.length > maxNamedLength) return { status, headers, body }
  return { status, headers: [...headers, 'comity-fields-withheld', named], body }
}

/** INVARIANT: no answer about a person without a consent, whatever came before this step. */
function reduce(answered: Answered, call: InboundCall): Answer {
  const { product, operation, answer } = answered
  if (operation.personal === undefined) return product.judge(operation, answer)
  if (call.consent === undefined) throw new Error(`an answer of \`${product.id}\` without a consent`)
  return withhold(answered, call.consent)
}

export function minimise(): Step {
  return {
    name: 'minimise',
    run(call) {
      const { product, operation, answer } = call
      if (product === undefined || operation === undefined || answer === undefined) return
      if (call.intent?.replayed || call.referral !== undefined) return
      call.answer = reduce({ product, operation, answer }, call)
    },
  }
}
