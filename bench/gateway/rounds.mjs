// Cells take turns in rounds, so that a noisy machine disturbs all alike.
import { note } from '../measure.mjs'
import { median, pairedRatio, round } from '../server/statistics.mjs'
import { cpuMicros } from './processes.mjs'

/**
 * A cell is one number of a table in the making: `{ names, run(milliseconds), samples }`.
 *
 * @param names what it is of, such as `{ row: 'keys', revision: 'modern', load: 8 }`
 * @param program whose CPU time counts; `undefined` for none
 * @param work puts load on it for some milliseconds, and resolves with `{ times, bytes }`: milliseconds of each call, and
 *   bytes that were read, where these count
 */
export function cell(names, program, work) {
  return { names, program, samples: [], run: (milliseconds) => sample(program, work, milliseconds) }
}

async function sample(program, work, milliseconds) {
  const before = program && (await cpuMicros(program))
  const started = performance.now()
  const { times, bytes = 0 } = await work(milliseconds)
  const seconds = (performance.now() - started) / 1000
  const used = program ? (await cpuMicros(program)) - before : Number.NaN
  times.sort((a, b) => a - b)
  const at = (part) => times[Math.floor(times.length * part)]
  const megabytes = bytes / 1e6
  return {
    calls: times.length,
    cpu: used / times.length,
    rate: times.length / seconds,
    p50: at(0.5),
    p99: at(0.99),
    ...(bytes > 0 && { cpuPerMB: used / megabytes, megabytesPerSecond: megabytes / seconds }),
  }
}

/** Sends requests over some connections, each as soon as its connection is free. */
export function overConnections(load, send) {
  return async (milliseconds) => {
    const times = []
    let bytes = 0
    const end = performance.now() + milliseconds
    const worker = async (number) => {
      do {
        const started = performance.now()
        bytes += (await send(number)) ?? 0
        times.push(performance.now() - started)
      } while (performance.now() < end)
    }
    await Promise.all(Array.from({ length: load }, (_, number) => worker(number)))
    return { times, bytes }
  }
}

/** @returns how many rounds there was time for, at least one */
export async function takeTurns(part, cells, { rounds, sampleMs, warmUpMs, budgetsMs }) {
  const begin = performance.now()
  await warmUp(part, cells, warmUpMs)
  for (let number = 1; number <= rounds; number++) {
    const started = performance.now()
    for (const { names, run, samples } of number % 2 ? cells : [...cells].reverse()) {
      note(`${part}: round ${number} of ${rounds}: ${Object.values(names).join(', ')}`)
      samples.push(await run(sampleMs))
    }
    const now = performance.now()
    if (now + (now - started) - begin > budgetsMs[part]) return number
  }
  return rounds
}

/** Each program as long as the others, whether it has one cell or many: just-in-time compilers look at programs. */
async function warmUp(part, cells, milliseconds) {
  const programs = new Set(cells.map(({ program }) => program))
  for (const { names, program, run } of cells) {
    note(`${part}: warming up ${Object.values(names).join(', ')}`)
    const own = cells.filter((one) => one.program === program)
    await run(milliseconds / programs.size / own.length)
  }
}

/** Calls of a cell in all rounds. */
export const callsOf = ({ samples }) => samples.reduce((sum, { calls }) => sum + calls, 0)

/** The cell of these names. */
export function find(cells, names) {
  const wanted = Object.entries(names)
  return cells.find((one) => wanted.every(([name, value]) => one.names[name] === value))
}

const all = ({ samples }, field) => samples.map((one) => one[field])

/** The median of one field. */
export function medianOf(one, field, digits = 0) {
  return one && round(median(all(one, field)), digits)
}

/** The median of the ratios of each round: what both suffered alike falls out. */
export function ratioOf(one, base, field = 'cpu') {
  return one && base && round(pairedRatio(all(one, field), all(base, field)), 2)
}

/** The median of the differences of each round. */
export function differenceOf(one, base, field, digits = 2) {
  if (!one || !base) return undefined
  const others = all(base, field)
  return round(median(all(one, field).map((value, number) => value - others[number])), digits)
}
