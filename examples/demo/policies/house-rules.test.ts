import { join } from 'node:path'
import { test } from 'node:test'
import { checkSet } from '../../policies/check-set.ts'

test("the demo's policies decide as their tests say, by both engines, and none is without a test", () =>
  checkSet(join(import.meta.dirname, 'house-rules.test.yaml')))
