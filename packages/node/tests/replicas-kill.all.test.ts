/** A node that is killed many times while it keeps replicas. */
import { test } from 'node:test'
import { killWhileKeeping } from './replicas-kill.ts'

test('a node that is killed while it keeps answers has each replica whole, and none whose exchange it did not record, ten times', () =>
  killWhileKeeping(10))
