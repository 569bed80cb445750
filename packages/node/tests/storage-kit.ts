/** Storages that fail on demand, for nodes that run as processes of their own. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk that can be filled to the last byte and freed again. */
export interface FillableDisk extends Disposable {
  /** Where the node's data and log go; undefined for those of the configuration. */
  readonly directory: string | undefined
  fill(pid: number): void
  free(pid: number): void
}

/** Why a test cannot run here; false when it can. */
export type SkipReason = string | false

export const withoutMounts: SkipReason =
  process.platform === 'linux' && process.getuid?.() === 0 && canMount() ? false : 'only root may mount a file system'

export const withoutLimits: SkipReason =
  spawnSync('prlimit', ['--version']).status === 0 ? false : '`prlimit` (util-linux) is not here'

function canMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'comity-mount-'))
  try {
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place]).status !== 0) return false
    return spawnSync('umount', [place]).status === 0
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** A file system in memory of that many KiB. `seal` makes it read-only. */
export function mountMemory(kibibytes: number): { readonly directory: string; seal(): void } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'comity-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', directory])
  return {
    directory,
    seal: () => void execFileSync('mount', ['-o', 'remount,ro', directory]),
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', directory])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A small file system: full is full. */
export function smallDisk(): FillableDisk {
  const disk = mountMemory(16 * 1024)
  const filler = join(disk.directory, 'filler')
  return {
    directory: disk.directory,
    fill() {
      const file = openSync(filler, 'a')
      try {
        for (let size = 64 * 1024; size >= 1; size = size > 1 ? Math.floor(size / 2) : 0) fillWith(file, size)
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(filler),
    [Symbol.dispose]: () => disk[Symbol.dispose](),
  }
}

function fillWith(file: number, bytes: number): void {
  const chunk = Buffer.alloc(bytes)
  try {
    while (writeSync(file, chunk) > 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}

/** The largest file that the process may write: the system refuses what goes beyond, whoever the user is. */
export function limitedFiles(): FillableDisk {
  const limit = (pid: number, value: string) => execFileSync('prlimit', ['--pid', String(pid), `--fsize=${value}:`])
  return {
    directory: undefined,
    fill: (pid) => limit(pid, '1'),
    free: (pid) => limit(pid, 'unlimited'),
    [Symbol.dispose]: () => {},
  }
}
