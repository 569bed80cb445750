/** What Linux tells of a process under `/proc` (proc(5)): CPU time of it and its children, resident memory; and of
 *  the machine, how much of it others took. */

import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** CPU seconds (user and system, all threads) that the process and all its living descendants have used. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid)
  const own = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  return childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), own)
}

/** The fields of `/proc/<pid>/stat` after the name: index 0 is field 3, `state`. */
function statFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
  )
}

/** Resident memory of one process in mebibytes. */
export function residentMebibytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  if (match === null) throw new Error(`no VmRSS of process ${pid}`)
  return Number(match[1]) / 1024
}

/** CPU ticks of the whole machine since boot: `busy` by anyone on it, `stolen` by its hypervisor, and in all. */
export function machineTicks(): { busy: number; stolen: number; all: number } {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n')
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, stolen = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number)
  const busy = user + nice + system + irq + softirq
  return { busy, stolen, all: busy + idle + wait + stolen }
}
