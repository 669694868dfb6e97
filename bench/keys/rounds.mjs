// As `takeTurns` of ../measure.mjs, for what has to be prepared first, runs many at once, or waits for a database: beside
// the CPU time of this process, which is what counts, it takes the time that passed.
import { median, note, round } from '../measure.mjs'

/**
 * @param variants `{ name, operations, prepare?: () => Promise, run: () => Promise }`; only `run` is measured, which does
 *   so many operations
 * @returns by name `{ cpu, wall }`: microseconds for one operation, one number a round
 */
export async function takeRounds(title, variants, { rounds, warmUp }) {
  const samples = new Map(variants.map(({ name }) => [name, { cpu: [], wall: [] }]))
  for (let turn = -warmUp; turn < rounds; turn++) {
    for (const variant of turn % 2 ? [...variants].reverse() : variants) {
      note(`${title}: ${turn < 0 ? 'warming up' : `round ${turn + 1} of ${rounds}`}, ${variant.name}`)
      await variant.prepare?.()
      const { cpu, wall } = await measured(variant.run)
      if (turn < 0) continue
      samples.get(variant.name).cpu.push(cpu / variant.operations)
      samples.get(variant.name).wall.push(wall / variant.operations)
    }
  }
  note('')
  return samples
}

/** Microseconds that some work takes. */
export async function measured(work) {
  const started = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { cpu: user + system, wall: (performance.now() - started) * 1000 }
}

/** @param what `cpu` or `wall` */
export function medianOf(samples, name, what = 'cpu') {
  return round(median(samples.get(name)[what]))
}

/** The median of the ratios of each round: what both suffered alike falls out. */
export function ratioOf(samples, name, base, what = 'cpu') {
  return round(median(samples.get(name)[what].map((micros, turn) => micros / samples.get(base)[what][turn])))
}

/** Lets timers and sockets have their turn. */
export function breathe() {
  return new Promise((resolve) => setImmediate(resolve))
}

/** So many of a list, chosen at random. */
export function pick(list, amount) {
  return Array.from({ length: amount }, () => list[Math.floor(Math.random() * list.length)])
}

/** So many different ones of a list, in random order. */
export function sample(list, amount) {
  const rest = [...list]
  const chosen = Math.min(amount, rest.length)
  for (let at = 0; at < chosen; at++) {
    const other = at + Math.floor(Math.random() * (rest.length - at))
    ;[rest[at], rest[other]] = [rest[other], rest[at]]
  }
  return rest.slice(0, chosen)
}
