import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOpenApi } from '../openapi/openapi.ts'
import { personalConfigSchema } from './personal-config.ts'
import { nameOfDomain, namesOfFields } from './product-names.ts'
import { documentOf } from '../products-test-kit.ts'

const components = {
  schemas: {
    Height: { type: 'number', title: 'Body height', description: 'In centimetres.' },
    Loop: { allOf: [{ $ref: '#/components/schemas/Loop' }] },
    Athlete: {
      type: 'object',
      properties: {
        height: { $ref: '#/components/schemas/Height' },
        weight: { type: 'number', description: 'Kilograms' },
        born: { type: 'string', title: 'x'.repeat(200) },
        sport: { type: 'string', title: '  ' },
        home: { type: 'object', title: 'Home', properties: { city: { type: 'string', title: 'City' } } },
        races: { type: 'array', items: { type: 'object', properties: { rank: { type: 'integer', title: 'Rank' } } } },
        loop: { $ref: '#/components/schemas/Loop' },
        lost: { $ref: '#/components/schemas/Nowhere' },
      },
    },
  },
  responses: {
    Found: { description: 'ok', content: { 'application/json': { schema: { $ref: '#/components/schemas/Athlete' } } } },
    Wrong: {
      description: 'no',
      content: { 'application/json': { schema: { type: 'object', properties: { sport: { title: 'Of a failure' } } } } },
    },
  },
}
const list = {
  type: 'object',
  properties: {
    items: { type: 'array', items: { type: 'object', properties: { club: { type: 'string', title: 'Club' } } } },
  },
}
const paths = {
  '/athletes/{id}': {
    get: {
      operationId: 'athlete',
      responses: { 200: { $ref: '#/components/responses/Found' }, 404: { $ref: '#/components/responses/Wrong' } },
    },
  },
  '/clubs': {
    get: {
      operationId: 'clubs',
      responses: { 200: { description: 'ok', content: { 'application/json': { schema: list } } } },
    },
  },
}

const fields = ['height', 'weight', 'born', 'sport', 'home.city', 'races[].rank', 'loop', 'lost', 'club']

function productOf(names: object = {}) {
  const document = parseOpenApi(documentOf(paths, components), 'test')
  const operations = { clubs: { rows: 'items[]' } }
  const personal = personalConfigSchema.parse({ domains: { all: fields }, operations, names })
  return { document, settings: { personal } }
}

test('a field is called by the title in the document; a description is no name', () => {
  const found = namesOfFields(productOf())
  const expected = ['Body height', undefined, undefined, undefined, 'City', 'Rank', undefined, undefined, 'Club']
  assert.deepEqual(
    fields.map((path) => found.get(path)),
    expected,
  )
  assert.equal(found.get('home'), 'Home')
  assert.equal(found.has('races[]') || found.has('items') || found.has('sport'), false)
})

test('what the settings call it counts first, in one language or several; a domain has no other name', () => {
  const product = productOf({ fields: { height: { en: 'Height', de: 'Größe' } }, domains: { all: 'Everything' } })
  assert.deepEqual(namesOfFields(product).get('height'), { en: 'Height', de: 'Größe' })
  assert.equal(nameOfDomain(product, 'all'), 'Everything')
  assert.equal(nameOfDomain(product, 'other'), undefined)
  for (const name of ['constructor', '__proto__', 'toString']) {
    assert.equal(nameOfDomain(product, name), undefined)
  }
  assert.equal(namesOfFields({ document: product.document, settings: {} }).size, 0)
})
