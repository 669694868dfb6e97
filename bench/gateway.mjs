// What a gateway costs: CPU time of its process for each call it passes on, the latency it adds, how fast it passes streams
// on; beside going direct, beside a bare pipe on node:http, and beside supergateway and mcp-proxy where they do the same
// job; and what grows with sessions, rules and tools. Everything takes turns in rounds, so that a noisy machine disturbs
// all alike; medians, and medians of the ratios of each round, count. The exit code is 0 unless something broke.
//
//   npm run bench:gateway                        the whole run, about four minutes
//   npm run bench:gateway -- --quick             a short one, to see that it works
//   npm run bench:gateway -- --json              for programs
//   npm run bench:gateway -- --only=http         one part: http, stdio, streams, connect, growth; several with commas
//
// The others come from `.gateway/`; `node tools/install-gateway.mjs` puts them there. Without it they are left out.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { disconnectStreams } from './gateway/calls.mjs'
import { makeCredentials } from './gateway/credentials.mjs'
import { growthPart } from './gateway/growth.mjs'
import { httpPart, stdioPart, streamsPart } from './gateway/over-http.mjs'
import { connectPart } from './gateway/over-stdio.mjs'
import { leastCalls, paces, parts, wantedMicros } from './gateway/plan.mjs'
import { pidsOf, pinAll, stopPrograms } from './gateway/processes.mjs'
import { isInstalled } from './gateway/programs.mjs'
import { goalsOf, plainCells, printers, printGoals } from './gateway/report.mjs'
import { callsOf, takeTurns } from './gateway/rounds.mjs'
import { note } from './measure.mjs'
import { watchOthers } from './server/others.mjs'
import { disconnect } from './server/requests.mjs'

const starters = {
  http: httpPart,
  stdio: stdioPart,
  streams: streamsPart,
  connect: connectPart,
  growth: growthPart,
}
const { quick, json, only } = readArguments()
const pace = quick ? paces.quick : paces.full
const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'))
const started = performance.now()
const faults = []
const results = {}
let credentials
try {
  credentials = await makeCredentials(folder)
  for (const name of parts) if (only.includes(name)) await measure(name)
} finally {
  await stopPrograms()
  disconnect()
  disconnectStreams()
  credentials?.close()
  rmSync(folder, { recursive: true, force: true })
  note('')
}
const machine = describe()
const goals = goalsOf(results)
if (json) printJson()
else print()
if (faults.length > 0) process.exitCode = 1

function readArguments() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: parts.join(',') },
    },
  })
  const chosen = values.only.split(',')
  const unknown = chosen.find((name) => !parts.includes(name))
  if (unknown !== undefined) throw new Error(`--only=${unknown}: parts are ${parts.join(', ')}`)
  return { ...values, only: chosen }
}

/** A part that breaks does not take the others with it. */
async function measure(name) {
  try {
    note(`${name}: starting`)
    const { cells, measured, behind } = await starters[name](credentials, folder, pace)
    const isPinned = pinAll(measured, behind)
    const othersPercent = watchOthers(pidsOf([...measured, ...behind]))
    const rounds = await takeTurns(name, cells, pace)
    results[name] = { cells, rounds, isPinned, othersPercent: othersPercent() }
  } catch (error) {
    faults.push(`${name}: ${error.message}`)
  } finally {
    await stopPrograms()
  }
}

function describe() {
  const versionAt = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
  const others = ['supergateway', 'mcp-proxy'].filter(isInstalled)
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cpu: cpus()[0].model,
    cores: cpus().length,
    versions: {
      'mcp-bearer': versionAt('../package.json'),
      ...Object.fromEntries(
        others.map((name) => [name, versionAt(`../.gateway/node_modules/${name}/package.json`)]),
      ),
    },
  }
}

/** Why verdicts may mean nothing. */
function caveats() {
  const busy = Object.entries(results).filter(([, { othersPercent = 0 }]) => othersPercent > 5)
  // Streams are few and long.
  const cold = Object.entries(results).filter(
    ([name, { cells }]) => name !== 'streams' && cells.some((one) => callsOf(one) < leastCalls),
  )
  return [
    ...(quick
      ? ['--quick only shows that it works: its programs are not warm, its verdicts mean nothing']
      : []),
    ...busy.map(
      ([name, { othersPercent }]) =>
        `${name}: other programs took ${othersPercent} % of the machine: ratios may do, microseconds, latencies and MB/s do not`,
    ),
    ...(quick || cold.length === 0
      ? []
      : [
          `${cold.map(([name]) => name).join(', ')}: some cells had fewer than ${leastCalls} calls, their programs may not have been warm: ratios between programs may not mean much either`,
        ]),
    ...(['supergateway', 'mcp-proxy'].every(isInstalled)
      ? []
      : ['supergateway and mcp-proxy are not all installed: node tools/install-gateway.mjs']),
  ]
}

function seconds() {
  return Math.round((performance.now() - started) / 1000)
}

function printJson() {
  const measured = Object.entries(results).map(([name, { cells, ...rest }]) => [
    name,
    { ...rest, cells: plainCells(cells) },
  ])
  const value = {
    ...machine,
    seconds: seconds(),
    quick,
    pace,
    wantedMicros,
    goals,
    ...Object.fromEntries(measured),
    caveats: caveats(),
    faults,
  }
  console.log(JSON.stringify(value, undefined, 2))
}

function print() {
  const { date, node, cores, cpu, versions } = machine
  console.log(`${date}, Node ${node}, ${cores} cores of ${cpu}`)
  console.log(
    Object.entries(versions)
      .map((pair) => pair.join(' '))
      .join(', '),
  )
  const { sampleMs, warmUpMs } = pace
  const rounds = Object.entries(results).map(([name, one]) => `${name} ${one.rounds}`)
  const isPinned = Object.values(results).every((one) => one.isPinned)
  console.log(
    `each part warmed up for ${warmUpMs / 1000} s; rounds of ${sampleMs} ms a cell: ${rounds.join(', ')}; ` +
      (isPinned ? 'gateways on the first core, load and servers on the last' : 'not pinned to cores'),
  )
  for (const [name, { cells }] of Object.entries(results)) printers[name](cells)
  if (goals.length > 0) printGoals(goals)
  for (const text of caveats()) console.log(text)
  for (const fault of faults) console.log(`broken: ${fault}`)
  console.log(`${seconds()} s`)
}
