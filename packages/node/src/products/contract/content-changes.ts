/** What of the bodies that an operation takes, and of its answers, breaks callers. */
import type { OpenApiDocument } from '../openapi/openapi.ts'
import type { Located } from '../openapi/references.ts'
import type { ContentCheck, Contents } from '../operations/contents.ts'
import { declaredFor } from '../operations/media-types.ts'
import type { DeclaredAnswer, Operation } from '../operations/operations.ts'
import type { Change, Versions } from './breaking-change.ts'
import { schemaChanges } from './schema-changes.ts'
import type { Direction } from './value-changes.ts'

type Operations = Versions<Operation>
type Documents = Versions<OpenApiDocument>

/** Of what callers send. */
export function bodyChanges({ before, after }: Operations, documents: Documents): Change[] {
  const [old, next] = [before.requestBody, after.requestBody]
  if (next === undefined) return old === undefined ? [] : [{ place: 'body', detail: 'is no longer taken' }]
  const required = next.required && old?.required !== true ? [{ place: 'body', detail: 'is required now' }] : []
  if (old === undefined) return required
  const contents = { before: old.contents, after: next.contents }
  return [...required, ...contentChanges(contents, documents, { place: 'body', direction: 'request' })]
}

/** Of what callers read. Failures are for people to read, and are left out. */
export function answerChanges({ before, after }: Operations, documents: Documents): Change[] {
  const kept = [...before.answers].flatMap(([status, { contents }]): Change[] => {
    if (!isSuccess(status)) return []
    const same = answerFor(after, status)
    const place = `answer ${status}`
    if (same === undefined) return [{ place, detail: 'is gone' }]
    return contentChanges({ before: contents, after: same.contents }, documents, { place, direction: 'answer' })
  })
  return [...kept, ...newAnswers({ before, after }, documents), ...fieldChanges({ before, after })]
}

const isSuccess = (status: string) => status.startsWith('2') || status === 'default'

/** What is declared for a status, or for all that are like it. */
function answerFor({ answers }: Operation, status: string): DeclaredAnswer | undefined {
  return answers.get(status) ?? (status === 'default' ? undefined : (answers.get('2XX') ?? answers.get('default')))
}

/** Successes that callers of the old version do not know, or know by what was said of all successes. `default` is of
 *  failures too, and so no new success. */
function newAnswers({ before, after }: Operations, documents: Documents): Change[] {
  return [...after.answers].flatMap(([status, { contents }]): Change[] => {
    if (!status.startsWith('2') || before.answers.has(status)) return []
    const place = `answer ${status}`
    const known = answerFor(before, status)
    if (known === undefined) return [{ place, detail: 'is new' }]
    return contentChanges({ before: known.contents, after: contents }, documents, { place, direction: 'answer' })
  })
}

function fieldChanges({ before, after }: Operations): Change[] {
  const gone = before.answerFields.filter((name) => !after.answerFields.includes(name))
  return gone.map((name) => ({ place: `field \`${name}\` of answers`, detail: 'is gone' }))
}

interface ContentPlace {
  readonly place: string
  readonly direction: Direction
}

function contentChanges(contents: Versions<Contents>, documents: Documents, { place, direction }: ContentPlace) {
  return [...contents.before].flatMap(([type, content]): Change[] => {
    const same = declaredFor(contents.after, type)
    if (same === undefined) return [{ place, detail: `the content type \`${type}\` is gone` }]
    if ((content.kind === 'rows') !== (same.kind === 'rows') && content.kind !== 'opaque' && same.kind !== 'opaque') {
      return [{ place, detail: `the schema of \`${type}\` is of a row, or of the whole, where it was not` }]
    }
    const [old, next] = [
      { root: documents.before.root, schema: schemaOf(content) },
      { root: documents.after.root, schema: schemaOf(same) },
    ]
    return schemaChanges(old, next, direction).map(({ pointer, detail }) => ({
      place: pointer === '' ? place : `${place} \`${pointer}\``,
      detail,
    }))
  })
}

/** One that is not looked into may hold anything. */
const schemaOf = (content: ContentCheck): Located =>
  'schema' in content ? content.schema : { value: true, pointer: 'any' }
