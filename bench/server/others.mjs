// How busy a machine is with something else while it measures.
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Milliseconds of a tick in /proc (`getconf CLK_TCK` is 100 wherever Node runs). */
const tickMs = 10

/**
 * @param own process ids that do not count
 * @returns a function that tells how much of the machine, in percent of all cores, other programs took since; it
 *   returns `undefined` where there is no /proc
 */
export function watchOthers(own) {
  const before = ticksOfProcesses()
  const started = performance.now()
  return () => {
    if (before.size === 0) return undefined
    let ticks = 0
    for (const [pid, used] of ticksOfProcesses()) {
      if (!own.includes(pid)) ticks += used - (before.get(pid) ?? 0)
    }
    return Math.round((ticks * tickMs * 100) / (performance.now() - started) / cpus().length)
  }
}

/** By process id: user and system time, with that of children that ended. */
function ticksOfProcesses() {
  const ticks = new Map()
  for (const pid of pids()) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      ticks.set(
        pid,
        fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0),
      )
    } catch {
      // It ended while we looked.
    }
  }
  return ticks
}

function pids() {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0)
  } catch {
    return []
  }
}
