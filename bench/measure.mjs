// How things are measured: CPU time, rounds in which the variants take turns, medians.

/** Shows on a terminal what is being done; nothing where the output is collected. */
export function note(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`)
}

export function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

/** CPU time in microseconds of user and system, all threads counted (the thread pool, the garbage collector). */
async function cpuMicros(work) {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/**
 * Measures variants in rounds: in each round all take their turn, every other round in reverse, so that a noisy machine
 * disturbs all alike. What `inputs` does is not measured; it is called anew for each round.
 *
 * @param variants `{ name, inputs: () => list, verify: (input) => something true, isSync }`
 * @returns for each name the CPU microseconds for one input, one number a round
 */
export async function takeTurns(title, variants, { rounds, warmUp }) {
  const samples = new Map(variants.map(({ name }) => [name, []]))
  for (let round = -warmUp; round < rounds; round++) {
    for (const variant of round % 2 ? [...variants].reverse() : variants) {
      note(`${title}: ${round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`}, ${variant.name}`)
      const inputs = variant.inputs()
      const micros = await cpuMicros(() => runAll(variant, inputs))
      if (round >= 0) samples.get(variant.name).push(micros / inputs.length)
    }
  }
  note('')
  return samples
}

async function runAll({ name, verify, isSync = false, expects = true }, inputs) {
  for (const input of inputs) {
    const answer = isSync ? verify(input) : await verify(input)
    if (Boolean(answer) !== expects) throw new Error(`${name}: not the expected verdict`)
  }
}

/** The median of the ratios of each round: what both suffered alike falls out. */
export function ratio(samples, name, base) {
  return median(samples.get(name).map((micros, round) => micros / samples.get(base)[round]))
}

/** The median of the differences of each round. */
export function difference(samples, name, base) {
  return median(samples.get(name).map((micros, round) => micros - samples.get(base)[round]))
}

export function round(number, digits = 2) {
  return Number(number.toFixed(digits))
}
