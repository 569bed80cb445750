/** A service in whose place something stands until it is loaded. */

/** The members of a service that do not answer with a promise. */
type Immediate<T> = {
  [K in keyof T as T[K] extends (...given: never[]) => Promise<unknown> ? never : K]: T[K]
}

/** Hands every call on to the service that `load` gives, but for the members that are given here: those that cannot
 *  wait, and those that are answered without it. */
export function loadLater<T extends object>(load: () => Promise<T>, here: Immediate<T> & Partial<T>): T {
  const methods = new Map<PropertyKey, unknown>()
  const methodOf = (name: PropertyKey) => {
    const method = async (...given: unknown[]) => {
      const service = (await load()) as Record<PropertyKey, (...given: unknown[]) => unknown>
      return service[name]?.(...given)
    }
    methods.set(name, method)
    return method
  }
  return new Proxy(here, {
    get(own, name) {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name)
      // Only a promise has it.
      return name === 'then' ? undefined : (methods.get(name) ?? methodOf(name))
    },
  }) as unknown as T
}
