/** What the upstream of every system under test answers: one fixed JSON document of about 1 KiB. */

const readings = Array.from({ length: 24 }, (_, hour) => ({
  at: `2024-05-17T${String(hour).padStart(2, '0')}:00:00Z`,
  kwh: 240 + ((hour * 37) % 91),
}))

/** ASCII without a single quote, since the configuration of nginx holds it between such. */
export const payload = JSON.stringify({ id: 42, meter: 'NL-0042', unit: 'kWh', readings })

/** What a consent to the domain `energy` releases of it. */
export const releasedPayload = JSON.stringify({ unit: 'kWh', readings })

/** The path that the systems under test are asked for, below their own prefix. */
export const payloadPath = '/readings/42'
