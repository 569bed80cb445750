/** The keywords of JSON Schema 2020-12 as OpenAPI 3.1 uses them, sorted by what they do with the instance. */

/** Values that are schemas for the same instance: their findings count for the schema that holds them. */
export const partLists = new Set(['allOf', 'anyOf', 'oneOf'])
export const parts = new Set(['then', 'else'])
export const partMaps = new Set(['dependentSchemas'])

/** Questions about the instance. They decide, but what they describe is not thereby allowed or forbidden. */
export const predicates = new Set(['if', 'not', 'contains', 'propertyNames'])

/** Schemas for what is inside the instance. */
export const childMaps = new Set(['properties', 'patternProperties'])
export const childLists = new Set(['prefixItems'])
export const children = new Set(['additionalProperties', 'unevaluatedProperties', 'items', 'unevaluatedItems'])

/** Assertions whose value is plain data. */
export const assertions = new Set(
  (
    'type enum const required dependentRequired format pattern multipleOf maximum exclusiveMaximum ' +
    'minimum exclusiveMinimum maxLength minLength uniqueItems maxItems minItems maxContains minContains ' +
    'maxProperties minProperties'
  ).split(' '),
)

/** Words for people and tools, which decide nothing. `x-…` is one of them. */
export const annotations = new Set(
  (
    'title description default deprecated readOnly writeOnly examples example $comment discriminator xml ' +
    'externalDocs contentEncoding contentMediaType contentSchema $defs definitions'
  ).split(' '),
)

/** Keywords that make a schema one about objects. */
export const objectKeywords = (
  'properties patternProperties required dependentRequired dependentSchemas propertyNames maxProperties ' +
  'minProperties'
).split(' ')
