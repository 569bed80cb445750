/** Secrets that people carry: in a link, in a cookie. 256 random bits; the database has their SHA-256 only. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { sha256Text } from '@comity/core/crypto/crypto-node'
import type { RandomBytes } from '@comity/core/ports'

/** 43 characters base64url. */
export function newSecret(randomBytes: RandomBytes): string {
  return encodeBase64url(randomBytes(32))
}

/** True for what could be a secret at all. */
export function isSecret(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text)
}

/** How a secret is known in the database. */
export function secretHash(secret: string): string {
  return sha256Text(secret, 'base64url')
}

/** The token that every form of a session carries: nobody can tell it who does not have the cookie. */
export function formToken(sessionSecret: string): string {
  return createHmac('sha256', sessionSecret).update('comity form 1').digest('base64url')
}

/** Compares without telling by time how much of it is right. */
export function isFormToken(text: string | undefined, sessionSecret: string): boolean {
  const expected = Buffer.from(formToken(sessionSecret))
  const given = Buffer.from(text ?? '')
  return given.length === expected.length && timingSafeEqual(given, expected)
}
