import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '@comity/core/problems'
import { loadOpenApi, maxOpenApiBytes, parseOpenApi } from './openapi.ts'
import { validateOpenApi } from './openapi-validation.ts'

const yaml = `openapi: 3.1.0
info: { title: Athletes, version: '1' }
paths:
  /athletes:
    get:
      responses:
        '200': { description: ok }
`

test('reads YAML and JSON to the same document', async () => {
  const document = parseOpenApi(yaml, 'a.yaml')
  assert.deepEqual(parseOpenApi(JSON.stringify(document.root), 'a.json').root, document.root)
  assert.match(document.hash, /^[0-9a-f]{64}$/)
  assert.deepEqual(await validateOpenApi(document), [])
})

test('the whole validation tells what is wrong and where', async () => {
  const { root, ...rest } = parseOpenApi(yaml, 'a.yaml')
  const errors = await validateOpenApi({ ...rest, root: { ...root, info: { title: 'x' } } })
  assert.equal(errors[0]?.pointer, '/info')
  assert.match(errors[0]?.detail ?? '', /version/)
})

const refused: Record<string, [string, RegExp]> = {
  'OpenAPI 3.0': [yaml.replace('3.1.0', '3.0.3'), /only OpenAPI 3\.1/],
  'OpenAPI 4': [yaml.replace('3.1.0', '4.0.0'), /only OpenAPI 3\.1/],
  'Swagger 2': ['{"swagger":"2.0","paths":{}}', /only OpenAPI 3\.1/],
  'a version that is a number': [yaml.replace('3.1.0', '3.1'), /\/openapi/],
  'no paths': ['{"openapi":"3.1.0"}', /\/paths/],
  'empty paths': ['{"openapi":"3.1.0","paths":{}}', /no operation/],
  'a list': ['[]', /not an object/],
  'no text': ['', /not an object/],
  'broken YAML': ['a: [', /neither JSON nor YAML/],
  'a key twice': [`${yaml}paths: {}\n`, /neither JSON nor YAML/],
  'a bomb of aliases': [
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nd: [${'*c,'.repeat(9)}]\n${yaml}`,
    /neither JSON nor YAML/,
  ],
  'too large a document': [yaml + ' '.repeat(maxOpenApiBytes), /larger than/],
}

for (const [name, [text, expected]] of Object.entries(refused)) {
  test(`refuses ${name}`, () => {
    assert.throws(() => parseOpenApi(text, 'x'), { code: 'openapi-invalid', message: expected })
  })
}

test('reads files, and says which one it cannot', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'comity-openapi-'))
  try {
    await writeFile(join(directory, 'a.yaml'), yaml)
    assert.equal((await loadOpenApi(join(directory, 'a.yaml'))).hash, parseOpenApi(yaml, 'x').hash)
    await assert.rejects(loadOpenApi(join(directory, 'b.yaml')), {
      code: 'openapi-invalid',
      message: /b\.yaml.*cannot be read/,
    })
    await assert.rejects(loadOpenApi(directory), { code: 'openapi-invalid' })
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('whatever the text, it is a document or openapi-invalid', () => {
  const property = fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    try {
      parseOpenApi(text, 'x')
    } catch (error) {
      assert.ok(error instanceof Problem && error.code === 'openapi-invalid')
    }
  })
  fc.assert(property, { numRuns: 200 })
})
