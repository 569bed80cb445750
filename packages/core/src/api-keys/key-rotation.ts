/** The rotation of an API key as an object: what state it is in, what may come next, which of the two keys work.
 *
 *      prepared ──▶ overlapping ──▶ draining ──▶ completed
 *          └─────────────┴──────────────┴──────▶ rolled-back
 *
 *  States only go forward, whatever clocks say. */
import { Problem } from '../problems.ts'

export const rotationStates = ['prepared', 'overlapping', 'draining', 'completed', 'rolled-back'] as const
export type RotationState = (typeof rotationStates)[number]

/** When the old key is retired: at the sunset whoever still uses it, or then or later, when nobody does. */
export const retirements = ['scheduled', 'when-moved'] as const
export type Retirement = (typeof retirements)[number]

/** Times are milliseconds since the epoch. */
export interface RotationPlan {
  /** From when on both keys work. */
  readonly overlapFromMs: number
  /** By when clients should have moved: who still uses the old key then is a laggard. */
  readonly drainFromMs: number
  /** Announced end of the old key: it does not end before by itself. */
  readonly sunsetMs: number
  readonly retire: Retirement
  /** For `when-moved`: how long the old key must not have been used. */
  readonly quietSeconds: number
}

export interface KeyRotation extends RotationPlan {
  readonly id: string
  readonly client: string
  /** Ids of the old key and of its successor; none until it was claimed. */
  readonly from: string
  readonly to: string | undefined
  readonly state: RotationState
  readonly createdMs: number
  /** When it was completed or rolled back. */
  readonly endedMs: number | undefined
}

/** What is known of the traffic. */
export interface RotationTraffic {
  readonly nowMs: number
  /** Last uses; undefined for never. */
  readonly fromUsedMs: number | undefined
  readonly toUsedMs: number | undefined
  /** Whether there is a successor that works now, wherever it may be used, and its client is known to have it. */
  readonly isSucceeded: boolean
}

const next: Readonly<Record<RotationState, readonly RotationState[]>> = {
  prepared: ['overlapping', 'rolled-back'],
  overlapping: ['draining', 'completed', 'rolled-back'],
  draining: ['completed', 'rolled-back'],
  completed: [],
  'rolled-back': [],
}

/** True while it can still change. */
export function isRunning({ state }: Pick<KeyRotation, 'state'>): boolean {
  return next[state].length > 0
}

/** A rotation that begins. Throws `key-rotation-refused` for a plan whose times are not in order. */
export function prepareRotation(
  named: Pick<KeyRotation, 'id' | 'client' | 'from' | 'to'>,
  plan: RotationPlan,
  nowMs: number,
): KeyRotation {
  const { overlapFromMs, drainFromMs, sunsetMs } = plan
  if (!(overlapFromMs <= drainFromMs && drainFromMs <= sunsetMs && overlapFromMs < sunsetMs)) {
    throw new Problem('key-rotation-refused', 'the overlap must begin before the draining, and that before the sunset')
  }
  if (sunsetMs <= nowMs) throw new Problem('key-rotation-refused', 'the sunset is not in the future')
  return { ...named, ...plan, state: 'prepared', createdMs: nowMs, endedMs: undefined }
}

/** Both keys work from now on. The overlap is never shorter than planned: when it begins late, the sunset moves with it.
 *  Throws `key-rotation-refused`, like the others, in a state from which it is not possible. */
export function beginOverlap(rotation: KeyRotation, nowMs: number): KeyRotation {
  const { overlapFromMs, drainFromMs, sunsetMs } = rotation
  const moved = advance(rotation, 'overlapping')
  const late = Math.max(0, nowMs - overlapFromMs)
  return {
    ...moved,
    overlapFromMs: nowMs,
    drainFromMs: drainFromMs + late,
    sunsetMs: sunsetMs + late,
  }
}

/** Who still uses the old key is looked at from now on. */
export function beginDraining(rotation: KeyRotation): KeyRotation {
  return advance(rotation, 'draining')
}

/** The old key ends then at the latest: what was announced beyond is brought forward. Throws `key-rotation-refused` where
 *  both keys would never work together. */
export function capSunset(rotation: KeyRotation, endsMs: number): KeyRotation {
  const { drainFromMs, sunsetMs, overlapFromMs } = rotation
  if (endsMs >= sunsetMs) return rotation
  if (endsMs <= overlapFromMs) {
    throw new Problem('key-rotation-refused', 'the key would end before its rotation begins: roll that back first')
  }
  return { ...rotation, drainFromMs: Math.min(drainFromMs, endsMs), sunsetMs: endsMs }
}

/** Names the successor that a client claimed for itself. */
export function nameSuccessor(rotation: KeyRotation, to: string): KeyRotation {
  if (!isRunning(rotation)) throw ended(rotation)
  return { ...rotation, to }
}

/** The successor that was claimed has ended, and the old key has not: the rotation goes on, and the client claims another. */
export function loseSuccessor(rotation: KeyRotation): KeyRotation {
  if (!isRunning(rotation)) throw ended(rotation)
  return { ...rotation, to: undefined }
}

/** The old key is retired. There must be a successor. */
export function completeRotation(rotation: KeyRotation, nowMs: number): KeyRotation {
  const completed = advance(rotation, 'completed')
  if (rotation.to === undefined) {
    throw new Problem('key-rotation-refused', 'the client has no successor yet: it would be left without a key')
  }
  return { ...completed, endedMs: nowMs }
}

/** The successor is revoked, the old key is as before. */
export function rollBackRotation(rotation: KeyRotation, nowMs: number): KeyRotation {
  return { ...advance(rotation, 'rolled-back'), endedMs: nowMs }
}

/** What is due by itself; undefined for nothing. The old key ends neither before its sunset nor before its successor works. */
export function decideRotation(rotation: KeyRotation, traffic: RotationTraffic): RotationState | undefined {
  const { state, overlapFromMs, drainFromMs } = rotation
  const { nowMs } = traffic
  if (state === 'prepared') return nowMs >= overlapFromMs ? 'overlapping' : undefined
  if (state !== 'overlapping' && state !== 'draining') return undefined
  if (traffic.isSucceeded && isDone(rotation, traffic)) return 'completed'
  return state === 'overlapping' && nowMs >= drainFromMs ? 'draining' : undefined
}

/** True where the old key should end, or should soon, and cannot, since no successor works: somebody must see to it. */
export function isHeldUp(rotation: KeyRotation, traffic: RotationTraffic): boolean {
  const { state, retire, drainFromMs } = rotation
  if (traffic.isSucceeded || (state !== 'overlapping' && state !== 'draining')) return false
  return isDone(rotation, traffic) || (retire === 'scheduled' && traffic.nowMs >= drainFromMs)
}

/** What answers announced is kept: no machine that comes once a week is taken its key before. */
function isDone(rotation: KeyRotation, traffic: RotationTraffic): boolean {
  return traffic.nowMs >= rotation.sunsetMs && (rotation.retire === 'scheduled' || hasMoved(rotation, traffic))
}

/** True when the old key has ended by schedule, whether or not that is written already, provided that its successor works. */
export function isSunsetOver({ state, retire, sunsetMs }: KeyRotation, nowMs: number): boolean {
  return retire === 'scheduled' && (state === 'overlapping' || state === 'draining') && nowMs >= sunsetMs
}

/** True when the successor is in use and the old key has been quiet for as long as was asked. */
export function hasMoved(
  { overlapFromMs, quietSeconds }: Pick<RotationPlan, 'overlapFromMs' | 'quietSeconds'>,
  { nowMs, fromUsedMs, toUsedMs }: Omit<RotationTraffic, 'isSucceeded'>,
): boolean {
  if (toUsedMs === undefined) return false
  const quietSinceMs = Math.max(fromUsedMs ?? overlapFromMs, overlapFromMs)
  return nowMs - quietSinceMs >= quietSeconds * 1_000
}

/** Which of the keys the rotation lets work; their own states and times count beside it. */
export function worksUnder(state: RotationState): { readonly from: boolean; readonly to: boolean } {
  return {
    from: state !== 'completed',
    to: state !== 'prepared' && state !== 'rolled-back',
  }
}

/** Relation (RFC 8288 §2.1.2) of the link to where the successor of an API key is had. */
export const keyRenewalRelation = 'urn:comity:rel:key-renewal'

/** The fields by which answers to the old key tell of its end, name and value in turn (RFC 9745, RFC 8594): none before
 *  the overlap. `renewalUrl` is where the client can have the successor; without it there is no link. A version of a
 *  product has an end too, in the same fields: what is the key's alone stands in the link.
 *
 *      Link: <https://holder.example/keys/renewal>; rel="urn:comity:rel:key-renewal"; key="7Qm2xK9a";
 *        deprecation="@1790000000"; sunset="@1791000000" */
export function rotationFields(rotation: KeyRotation, renewalUrl: string | undefined): readonly string[] {
  const { state, from, overlapFromMs, sunsetMs } = rotation
  if (state !== 'overlapping' && state !== 'draining') return []
  const deprecation = `@${Math.floor(overlapFromMs / 1_000)}`
  const ends = `key="${from}"; deprecation="${deprecation}"; sunset="@${Math.floor(sunsetMs / 1_000)}"`
  const link = renewalUrl === undefined ? [] : ['link', `<${renewalUrl}>; rel="${keyRenewalRelation}"; ${ends}`]
  return ['deprecation', deprecation, 'sunset', new Date(sunsetMs).toUTCString(), ...link]
}

function advance(rotation: KeyRotation, to: RotationState): KeyRotation {
  if (next[rotation.state].includes(to)) return { ...rotation, state: to }
  throw isRunning(rotation)
    ? new Problem('key-rotation-refused', `a rotation that is ${rotation.state} cannot become ${to}${hint(rotation)}`)
    : ended(rotation)
}

function hint({ state }: KeyRotation): string {
  return state === 'prepared' ? ' before both keys work: start it first, or roll it back' : ''
}

function ended({ state }: KeyRotation): Problem {
  return new Problem('key-rotation-refused', `the rotation has ended: it is ${state}; begin another`)
}
