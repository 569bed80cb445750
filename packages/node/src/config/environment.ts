/** The only reader of the process's environment. Everything else is given what it needs of it. */

/** Environment variables, as they were when they were read. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A frozen copy of the process's environment. */
export function readEnvironment(): Environment {
  return Object.freeze({ ...process.env })
}
