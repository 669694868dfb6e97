// What a server costs: CPU time per request in each revision of the protocol, beside a bare node:http echo, the bare
// official SDK, tmcp and fastmcp, all in one run; with 1 to 1,000 tools; idle memory; the time to the first answer.
// Requests take turns in rounds, so that a noisy machine disturbs all alike; medians, and medians of the ratios of each
// round, count. What is wanted is printed beside; the exit code is 0 unless something broke.
//
//   npm run bench                        the whole run, about six minutes
//   npm run bench -- --quick             a short one, to see that it works
//   npm run bench -- --json              for programs
//   npm run bench -- --only=cold         one part: cold, memory, cpu; several with commas
//
// tmcp and fastmcp come from `.bench/`; `node tools/install-bench.mjs` puts them there. Without it they are left out.
import { existsSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { measureCpu } from './server/cpu.mjs'
import { goalsOf } from './server/goals.mjs'
import { paces, rows } from './server/plan.mjs'
import { stopAll } from './server/processes.mjs'
import { plainCells, printCpu, printGoals, printRows } from './server/report.mjs'
import { disconnect } from './server/requests.mjs'
import { measureColdStart, measureMemory } from './server/start.mjs'
import { audience, issuer, makeKey, makeTokenOfUsualSize } from './verify/tokens.mjs'

const parts = ['memory', 'cold', 'cpu']
const { quick, json, only } = readArguments()
const pace = quick ? paces.quick : paces.full
const folder = new URL('../.bench/', import.meta.url)
const isInstalled = existsSync(new URL('load.mjs', folder))
const isThere = (row) => isInstalled || !rows[row].isCompetitor

const started = performance.now()
const credentials = makeCredentials()
const faults = []
const results = {}
let cpu
try {
  // First what has to be undisturbed by the many processes of the CPU part.
  if (only.includes('memory')) results.memory = await part(() => measureMemory(credentials, pace, isThere))
  if (only.includes('cold'))
    results.coldStart = await part(() => measureColdStart(credentials, pace, isThere))
  if (only.includes('cpu')) cpu = await part(() => measureCpu(credentials, pace, isThere))
} finally {
  await stopAll()
  disconnect()
}
faults.push(...(cpu?.faults ?? []))
const goals = goalsOf({ ...results, cells: cpu?.cells })
const machine = describe()
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

/** One key and one token of about 1 kB for all servers. */
function makeCredentials() {
  const { jwk, publicPem, ...key } = makeKey('RS256')
  return { token: makeTokenOfUsualSize(key), key: { jwk, publicPem, issuer, audience } }
}

/** A part that breaks does not take the others with it. */
async function part(measure) {
  try {
    return await measure()
  } catch (error) {
    faults.push(error.message)
    return undefined
  }
}

function describe() {
  const readJson = (url) => JSON.parse(readFileSync(url, 'utf8'))
  const { version, devDependencies } = readJson(new URL('../package.json', import.meta.url))
  const versionOf = (name, base) => readJson(new URL(`node_modules/${name}/package.json`, base)).version
  const own = new URL('../', import.meta.url)
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cpu: cpus()[0].model,
    cores: cpus().length,
    versions: {
      'mcp-bearer': version,
      '@modelcontextprotocol/server': versionOf('@modelcontextprotocol/server', own),
      '@hono/node-server': devDependencies['@hono/node-server'],
      jose: devDependencies.jose,
      ...(isInstalled && { tmcp: versionOf('tmcp', folder), fastmcp: versionOf('fastmcp', folder) }),
    },
  }
}

/** Why verdicts may mean nothing. */
function caveats() {
  const { othersPercent = 0 } = cpu ?? {}
  return [
    ...(quick
      ? ['--quick only shows that it works: its servers are not warm, its verdicts mean nothing']
      : []),
    ...(othersPercent > 5
      ? [`other programs took ${othersPercent} % of the machine: measure again without them`]
      : []),
  ]
}

function missing() {
  return isInstalled ? [] : ['tmcp and fastmcp are not installed: node tools/install-bench.mjs']
}

function seconds() {
  return Math.round((performance.now() - started) / 1000)
}

function printJson() {
  const { pinned, processes, rounds, othersPercent, skipped } = cpu ?? {}
  const { memory, coldStart } = results
  const titled = (list) => list?.map(({ row, ...figures }) => ({ server: rows[row].title, ...figures }))
  const value = {
    ...machine,
    seconds: seconds(),
    quick,
    pace,
    ...(cpu && {
      pinned,
      processes,
      rounds,
      othersPercent,
      skipped,
      requests: plainCells(cpu.cells),
    }),
    memory: titled(memory),
    coldStart: titled(coldStart),
    goals: goals.map(({ measured, met, ...goal }) => ({
      ...goal,
      measured: measured ?? null,
      met: met ?? null,
    })),
    caveats: caveats(),
    missing: missing(),
    faults,
  }
  console.log(JSON.stringify(value, undefined, 2))
}

function print() {
  const { date, node, cores: amount, cpu: model, versions } = machine
  console.log(`${date}, Node ${node}, ${amount} cores of ${model}`)
  console.log(
    Object.entries(versions)
      .map((pair) => pair.join(' '))
      .join(', '),
  )
  if (cpu) {
    const { sampleMs, warmUpMs } = pace
    console.log(
      `${cpu.processes} servers, each warmed up for ${warmUpMs / 1000} s; ${cpu.rounds} rounds, ${sampleMs} ms for each request; ` +
        (cpu.pinned ? 'servers on the first core, load on the last' : 'not pinned to cores'),
    )
    printCpu(cpu.cells, cpu.skipped, isThere)
  }
  if (results.memory) {
    printRows(
      'Memory: resident MB after garbage collection, when it listens and when it has answered',
      results.memory,
    )
  }
  if (results.coldStart) {
    printRows('Cold start: ms from process start to the first answer, and times the echo', results.coldStart)
  }
  printGoals(goals)
  for (const text of caveats()) console.log(text)
  for (const text of missing()) console.log(text)
  for (const fault of faults) console.log(`broken: ${fault}`)
  console.log(`${seconds()} s`)
}
