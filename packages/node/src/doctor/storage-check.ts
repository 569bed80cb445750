/** Checks that what the node writes can be written, that there is room, and that nobody else has the data. */
import { mkdir, open, rm, rmdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { lockDataDirectory } from '../storage/data-directory-lock.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { bad, caution, codeOf, describeError, good, type Finding } from './finding.ts'

const mebibyte = 1024 * 1024
/** Below this the node may fail within minutes; below that, within days. */
const scarceBytes = 64 * mebibyte
const lowBytes = 1024 * mebibyte

type Options = Pick<DoctorOptions, 'config' | 'running' | 'randomBytes'>

export async function checkStorage(options: Options): Promise<Finding[]> {
  const { config } = options
  const places = { data: config.storage.directory, log: config.log.directory, receipts: config.receipts.directory }
  const findings = await Promise.all(
    Object.entries(places).map(([name, directory]) =>
      checkDirectory(`storage ${name}`, directory, options.randomBytes),
    ),
  )
  return [...findings.flat(), ...(await checkSpace(config.storage.directory)), ...(await checkLock(options))]
}

async function checkDirectory(
  check: string,
  directory: string,
  randomBytes: DoctorOptions['randomBytes'],
): Promise<Finding[]> {
  try {
    const existing = await nearestExisting(directory)
    const probe = join(existing, `.doctor-${encodeBase64url(randomBytes(9))}`)
    if (existing !== directory) {
      await mkdir(probe)
      await rmdir(probe)
      return [good(check, `${directory} will be made when it is needed`)]
    }
    await writeAndRemove(probe)
    return [good(check, `${directory} takes writes`)]
  } catch (error) {
    return [bad(check, `${directory} does not take writes: ${describeError(error)}`, writeRemedy(error))]
  }
}

/** What helps a directory that takes no writes. */
export function writeRemedy(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? 'free space on its disk, or move it to another one'
    : 'make it a directory that the user of the node may write, on a disk that is not read-only'
}

/** The directory itself, or the nearest one above it that is there. Throws `ENOTDIR` when a file is in the way. */
async function nearestExisting(directory: string): Promise<string> {
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found?.isDirectory() === true) return directory
  if (found !== undefined) throw new Error(`\`${directory}\` is not a directory`)
  return nearestExisting(dirname(directory))
}

/** A page, written through to the disk. */
async function writeAndRemove(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.write(new Uint8Array(4_096))
    await file.sync()
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}

async function checkSpace(directory: string): Promise<Finding[]> {
  try {
    const { bavail, bsize } = await statfs(await nearestExisting(directory))
    return [decideSpace(bavail * bsize)]
  } catch (error) {
    return [caution('storage space', `cannot be told: ${describeError(error)}`, 'look at the disk yourself')]
  }
}

/** The verdict about the free space, in bytes. */
export function decideSpace(freeBytes: number): Finding {
  const detail = `${Math.round(freeBytes / mebibyte)} MiB are free`
  const remedy =
    'free space or move `storage.directory`: without room nothing is recorded, and then nothing is answered'
  if (freeBytes < scarceBytes) return bad('storage space', detail, remedy)
  return freeBytes < lowBytes ? caution('storage space', detail, remedy) : good('storage space', detail)
}

async function checkLock({ config, running }: Options): Promise<Finding[]> {
  const { directory } = config.storage
  const exists = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!exists) return []
  try {
    lockDataDirectory(directory)[Symbol.dispose]()
    if (running === undefined) return [good('storage lock', 'no other process uses the data')]
    return [
      caution('storage lock', 'the running node uses another data directory', 'restart it to take the change over'),
    ]
  } catch (error) {
    if (codeOf(error) !== 'data-in-use') return [] // What stops the lock stops writing as well, and was told.
    if (running !== undefined) return [good('storage lock', 'the running node has the data for itself')]
    return [
      bad(
        'storage lock',
        'a process uses the data and does not answer on the admin address',
        'stop that process, or correct `listen.admin` if it is this node',
      ),
    ]
  }
}
