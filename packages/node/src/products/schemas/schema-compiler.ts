/** Compiles schemas of an OpenAPI document (JSON Schema 2020-12) to checks of values. Each is compiled when it is
 *  first used, so a node starts fast; `compileAll` finds the ones that cannot be. */
import { createRequire } from 'node:module'
import type { ErrorObject, ValidateFunction } from 'ajv'
import type * as AjvModule from 'ajv/dist/2020.js'
import type * as AjvFormats from 'ajv-formats/dist/formats.js'
import { pointerStep, type Located } from '../openapi/references.ts'
import type { DocumentError, JsonObject } from '../openapi/openapi.ts'
import { closeSchema, createSchemaClosing, type SchemaClosing } from './closed-schema.ts'
import { compilePattern, maxPatternInput } from './bounded-pattern.ts'
import { replaceUnevaluatedProperties } from './unevaluated-properties.ts'
import { replaceUniqueItems } from './unique-items.ts'
import { isUsualDateTime } from './usual-date-time.ts'

/** What is wrong with a value; `pointer` leads into the value. Says nothing of the value beyond member names. */
export interface ValueError {
  readonly pointer: string
  readonly detail: string
}

/** Tells what is wrong with a value: the first thing only, since more would cost without bound. */
export type ValueCheck = (value: unknown) => ValueError | undefined

export interface SchemaCompiler {
  /** The check of the schema at a place. Throws `DocumentFault` when the schema cannot be read. */
  check(place: Located): ValueCheck
  /** Compiles everything asked for so far, one at a step; tells what failed. */
  compileEach(): Iterable<DocumentError | undefined>
}

const require = createRequire(import.meta.url)
const schemaId = 'urn:comity:schemas'

/** A compiler for the schemas of one document. */
export function createSchemaCompiler(root: JsonObject): SchemaCompiler {
  const closing = createSchemaClosing(root)
  const checked = new Map<string, { name: string; validate: ValidateFunction | undefined }>()
  let ajv: AjvModule.Ajv2020 | undefined
  // Definitions may still be added until the first check; after that the set is what it is.
  const compile = (name: string) => (ajv ??= createAjv(closing)).compile({ $ref: `${schemaId}#/$defs/${name}` })

  return {
    check(place) {
      let entry = checked.get(place.pointer)
      if (entry === undefined) {
        ajv = undefined
        checked.set(place.pointer, (entry = { name: closeSchema(closing, place), validate: undefined }))
      }
      const { name } = entry
      const slot = entry
      return (value) => {
        const validate = (slot.validate ??= compile(name))
        return validate(value) ? undefined : firstError(validate.errors)
      }
    },
    *compileEach() {
      for (const [pointer, entry] of checked) {
        try {
          entry.validate ??= compile(entry.name)
          yield undefined
        } catch (cause) {
          yield { pointer, detail: `does not compile: ${cause instanceof Error ? cause.message : 'unknown'}` }
        }
      }
    },
  }
}

function createAjv(closing: SchemaClosing): AjvModule.Ajv2020 {
  const { Ajv2020: Ajv } = require('ajv/dist/2020.js') as typeof AjvModule
  const { fullFormats } = require('ajv-formats/dist/formats.js') as typeof AjvFormats
  const ajv = new Ajv({
    strict: false,
    strictNumbers: true,
    unevaluated: true,
    ownProperties: true,
    meta: false,
    validateSchema: false,
    logger: false,
    code: { regExp: boundedRegExp },
  })
  for (const [name, format] of Object.entries(fullFormats)) {
    ajv.addFormat(name, format instanceof RegExp ? (text: string) => isBounded(text) && format.test(text) : format)
  }
  const dateTime = fullFormats['date-time'] as { readonly validate: (text: string) => boolean }
  ajv.addFormat('date-time', (text: string) => isUsualDateTime(text) || dateTime.validate(text))
  replaceUnevaluatedProperties(ajv)
  replaceUniqueItems(ajv)
  return ajv.addSchema({ $id: schemaId, $defs: closing.definitions })
}

const isBounded = (text: string) => text.length <= maxPatternInput

/** The regular expressions of `pattern`, which Ajv only ever asks to `test`; it tells them apart by their text. */
function boundedRegExp(pattern: string, flags: string) {
  const { test } = compilePattern(pattern, flags)
  return { test, toString: () => `/${pattern}/${flags}` }
}
boundedRegExp.code = 'boundedRegExp'

function firstError(errors: ErrorObject[] | null | undefined): ValueError {
  const error = errors?.at(-1)
  if (error === undefined) return { pointer: '', detail: 'is not valid' }
  const { unevaluatedProperty, additionalProperty } = error.params as Record<string, unknown>
  const undeclared = unevaluatedProperty ?? additionalProperty
  if (typeof undeclared !== 'string') return { pointer: error.instancePath, detail: error.message ?? 'is not valid' }
  return { pointer: `${error.instancePath}/${pointerStep(undeclared)}`, detail: 'is not declared' }
}
