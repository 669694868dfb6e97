// What verification costs: CPU time per token, beside other libraries and beside the bare signature check; how long the
// event loop stands still; memory; and the worst that a hostile token can do.
//
//   npm run bench:verify                 the whole run, about two minutes
//   npm run bench:verify -- --quick      a short one, to see that it works
//   npm run bench:verify -- --json       for programs
//   npm run bench:verify -- --only=cold  one part: cold, warm, loop, memory, hostile, jwks; several with commas
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { measureCold, wantedRatio } from './verify/cold.mjs'
import { measureEventLoop, wantedMilliseconds } from './verify/event-loop.mjs'
import { measureHostile } from './verify/hostile.mjs'
import { measureJwks } from './verify/jwks.mjs'
import { measureMemory } from './verify/memory.mjs'
import { measureWarm, wantedMicros } from './verify/warm.mjs'

const quick = process.argv.includes('--quick')
const json = process.argv.includes('--json')
const only = process.argv
  .find((argument) => argument.startsWith('--only='))
  ?.slice(7)
  .split(',')

const parts = {
  cold: {
    title: `Cold: CPU µs per new token of 1 kB, and ratio to node:crypto (wanted: at most ${wantedRatio})`,
    run: () =>
      measureCold(quick ? { tokens: 60, rounds: 3, warmUp: 10 } : { tokens: 300, rounds: 15, warmUp: 40 }),
  },
  warm: {
    title: `Warm: CPU µs per remembered token of 1 kB (wanted: at most ${wantedMicros})`,
    run: () =>
      measureWarm(
        quick
          ? { remembered: 5000, lookUps: 2000, rounds: 5 }
          : { remembered: 100_000, lookUps: 10_000, rounds: 11 },
      ),
  },
  loop: {
    title: `Event loop: longest block in ms, 64 new tokens at once (wanted: at most ${wantedMilliseconds})`,
    run: () => measureEventLoop(quick ? { repeats: 2, warmUp: 1 } : { repeats: 20, warmUp: 15 }),
  },
  memory: {
    title: 'Memory: bytes per remembered token, heap and external',
    run: () => measureMemory({ remembered: quick ? 5000 : 100_000 }),
  },
  hostile: {
    title: 'Hostile tokens: CPU µs per token, and ratio to the bare RS256 check',
    run: () => measureHostile(quick ? { tokens: 10, rounds: 3 } : { tokens: 50, rounds: 9 }),
  },
  jwks: {
    title: 'Key set: CPU µs per RS256 token through jwksUri and with a publicKey',
    run: () => measureJwks(quick ? { tokens: 100, rounds: 3 } : { tokens: 400, rounds: 15 }),
  },
}

const { version, devDependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url)))
const { jose, 'fast-jwt': fastJwt, jsonwebtoken } = devDependencies
const machine = {
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  cpu: cpus()[0].model,
  cores: cpus().length,
  versions: { 'mcp-bearer': version, jose, 'fast-jwt': fastJwt, jsonwebtoken },
}

const results = {}
const started = performance.now()
if (!json) {
  console.log(`${machine.date}, Node ${machine.node}, ${machine.cores} cores of ${machine.cpu}`)
  console.log(
    Object.entries(machine.versions)
      .map((pair) => pair.join(' '))
      .join(', '),
  )
}
for (const [name, { title, run }] of Object.entries(parts)) {
  if (only !== undefined && !only.includes(name)) continue
  results[name] = await run()
  if (json) continue
  console.log(`\n${title}`)
  console.table(results[name])
}
const seconds = Math.round((performance.now() - started) / 1000)
if (json) console.log(JSON.stringify({ ...machine, seconds, ...results }, undefined, 2))
else console.log(`${seconds} s`)
