/** Ajv's `unevaluatedProperties` looks members up in a plain object, so that a member named `constructor` or
 *  `toString` passes for an evaluated one whenever that is known only at run time (`anyOf`, recursion). This
 *  keyword asks for own members. */
import { createRequire } from 'node:module'
import type { CodeKeywordDefinition, KeywordCxt, Name } from 'ajv'
import type * as AjvCode from 'ajv/dist/compile/codegen/index.js'
import type * as AjvUtil from 'ajv/dist/compile/util.js'
import type { Ajv2020 } from 'ajv/dist/2020.js'

const require = createRequire(import.meta.url)

type Evaluated = KeywordCxt['it']['props']

/** Puts the sound keyword in the place of Ajv's. */
export function replaceUnevaluatedProperties(ajv: Ajv2020): void {
  ajv.removeKeyword('unevaluatedProperties')
  ajv.addKeyword(definition())
}

function definition(): CodeKeywordDefinition {
  const { _, and, not, Name: NameClass } = require('ajv/dist/compile/codegen/index.js') as typeof AjvCode
  const { Type } = require('ajv/dist/compile/util.js') as typeof AjvUtil

  /** Code that is true for a member nobody has looked at; undefined when every member is one. */
  function isUnevaluated(props: Exclude<Evaluated, true>, key: Name) {
    if (props === undefined) return _`true`
    if (props instanceof NameClass) return _`!${props} || !Object.prototype.hasOwnProperty.call(${props}, ${key})`
    const known = Object.entries(props).filter(([, evaluated]) => evaluated === true)
    return and(...known.map(([name]) => _`${key} !== ${name}`))
  }

  function judge(context: KeywordCxt, key: Name): void {
    const { gen, it } = context
    if (context.schema === false) {
      context.setParams({ unevaluatedProperty: key })
      context.error()
      if (it.allErrors !== true) gen.break()
      return
    }
    const valid = gen.name('valid')
    context.subschema({ keyword: 'unevaluatedProperties', dataProp: key, dataPropType: Type.Str }, valid)
    if (it.allErrors !== true) gen.if(not(valid), () => gen.break())
  }

  function code(context: KeywordCxt): void {
    const { gen, data, errsCount, it } = context
    const { props } = it
    if (props !== true && context.schema !== true) {
      const members = () =>
        gen.forIn('key', data, (key) => gen.if(isUnevaluated(props, key), () => judge(context, key)))
      if (props instanceof NameClass) gen.if(_`${props} !== true`, members)
      else members()
    }
    it.props = true
    context.ok(_`${errsCount as Name} === errors`)
  }

  return {
    keyword: 'unevaluatedProperties',
    type: 'object',
    schemaType: ['boolean', 'object'],
    trackErrors: true,
    error: {
      message: 'must NOT have unevaluated properties',
      params: ({ params }) => _`{unevaluatedProperty: ${params.unevaluatedProperty}}`,
    },
    code,
  }
}
