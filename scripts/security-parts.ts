/** What the security suite consists of: one file `packages/node/tests/security/{part}.security.test.ts` each. */

/** OWASP API Security Top 10 (2023), then attacks by their kind. */
export const securityParts = [
  'api01-object-level-authorization',
  'api02-broken-authentication',
  'api03-object-property-level-authorization',
  'api04-unrestricted-resource-consumption',
  'api05-function-level-authorization',
  'api06-sensitive-business-flows',
  'api07-server-side-request-forgery',
  'api08-security-misconfiguration',
  'api09-improper-inventory-management',
  'api10-unsafe-consumption-of-apis',
  'replay',
  'downgrade',
  'algorithm-confusion',
  'key-confusion',
  'header-smuggling',
  'request-splitting',
  'secret-comparison',
  'enumeration',
  'planted-secrets',
  'planted-credentials',
] as const
