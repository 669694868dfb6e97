// CPU time per request: every server warm, rounds in which all take their turn.
import { note } from '../measure.mjs'
import { watchOthers } from './others.mjs'
import { rows, servers } from './plan.mjs'
import { cores, cpuMicros, pin, startServer, stopAll } from './processes.mjs'
import {
  assertProtected,
  assertRight,
  connections,
  openSession,
  operations,
  prepare,
  revisions,
  send,
} from './requests.mjs'
import { mean, median, pairedRatio, round } from './statistics.mjs'

/**
 * @param credentials `{ token, key }`
 * @param pace one of `paces`
 * @param isThere tells whether a row can be measured
 * @returns `{ cells, faults, skipped, processes, rounds, othersPercent, pinned }`; a cell is
 *   `{ row, revision, operation, tools, samples }`, a sample that of one round, `{ cpu, rps, p50, p99 }`
 */
export async function measureCpu(credentials, pace, isThere) {
  const targets = await startAll(credentials, pace, isThere)
  try {
    await warmUp(targets, pace)
    const living = targets.filter(({ fault }) => !fault)
    const pinned = [pin(process.pid, cores.load), ...living.map(({ child }) => pin(child.pid, cores.server))]
    const othersPercent = watchOthers([process.pid, ...living.map(({ child }) => child.pid)])
    const rounds = await takeTurns(targets, pace)
    return {
      cells: cellsOf(targets),
      faults: targets.filter(({ fault }) => fault).map(({ title, fault }) => `${title}: ${fault}`),
      skipped: Object.assign({}, ...targets.map(({ skipped }) => skipped)),
      processes: living.length,
      pinned: pinned.every(Boolean),
      rounds,
      othersPercent: othersPercent(),
    }
  } finally {
    await stopAll()
    note('')
  }
}

async function startAll(credentials, { manyInstances }, isThere) {
  const targets = servers
    .filter(({ row }) => isThere(row))
    .flatMap((server) =>
      Array.from({ length: manyInstances ? (server.instances ?? 1) : 1 }, (_, instance) => ({
        ...server,
        ...titleOf(server),
        instance,
        requests: [],
        skipped: {},
      })),
    )
  await eachOf(targets, 'starting', (target) => startTarget(target, credentials))
  return targets
}

function titleOf({ row, tools, sessions }) {
  const count = tools === undefined ? '' : `, ${tools} ${tools === 1 ? 'tool' : 'tools'}`
  return { title: `${rows[row].title}${count}${sessions ? ', sessions' : ''}` }
}

async function startTarget(target, { token, key }) {
  const { row, tools, sessions = false, cells } = target
  const { kind, verifier } = rows[row]
  const settings = { kind, verifier, tools, sessions, token, key }
  Object.assign(target, await startServer(settings))
  const sent = verifier === 'none' ? undefined : token
  for (const { revision, operation } of cells) {
    const sessionId = revision === 'session' ? await openSession(target, sent) : undefined
    if (revision === 'session' && sessionId === undefined) {
      target.skipped[`${row} session`] = 'no sessions: initialize gives no Mcp-Session-Id'
      continue
    }
    const prepared = prepare(target, { revision, operation, token: sent, sessionId })
    await assertRight(prepared, operation, settings)
    if (sent && kind !== 'echo') await assertProtected(prepared, sent)
    target.requests.push({ revision, operation, prepared, samples: [] })
  }
}

/** Two at a time, because the machine that is measured on may have two cores. One that fails does not end the others. */
async function eachOf(targets, what, work) {
  const waiting = targets.filter(({ fault }) => !fault)
  const amount = waiting.length
  const worker = async () => {
    while (waiting.length > 0) {
      const target = waiting.shift()
      note(`${what} ${amount - waiting.length} of ${amount}: ${target.title}`)
      await attempt(target, () => work(target))
    }
  }
  await Promise.all([worker(), worker()])
}

async function attempt(target, work) {
  try {
    await work()
  } catch (error) {
    target.fault = error.message
  }
}

function warmUp(targets, { warmUpMs }) {
  return eachOf(targets, 'warming up', async ({ requests }) => {
    const slices = Math.ceil(warmUpMs / 1000)
    for (let slice = 0; slice < slices; slice++) {
      for (const { prepared } of requests) await load(prepared, warmUpMs / slices / requests.length)
    }
  })
}

/** @returns how many rounds there was time for, at least one */
async function takeTurns(targets, { rounds, sampleMs, budgetMs }) {
  const turns = turnsOf(targets)
  for (let number = 1; number <= rounds; number++) {
    const started = performance.now()
    for (const { target, request } of number % 2 ? turns : [...turns].reverse()) {
      if (target.fault) continue
      note(`round ${number} of ${rounds}: ${revisions[request.revision].title}, ${target.title}`)
      await attempt(target, async () =>
        request.samples.push(await sample(target, request.prepared, sampleMs)),
      )
    }
    // The clock began with the process.
    const now = performance.now()
    if (now + (now - started) > budgetMs) return number
  }
  return rounds
}

/** What is compared comes one after the other: the same request to all servers. */
function turnsOf(targets) {
  const turns = targets.flatMap((target) => target.requests.map((request) => ({ target, request })))
  const orderOf = ({ target, request: { revision, operation } }) =>
    target.instance * 100 +
    Object.keys(operations).indexOf(operation) * 10 +
    Object.keys(revisions).indexOf(revision)
  return turns.sort((a, b) => orderOf(a) - orderOf(b))
}

async function sample(target, prepared, milliseconds) {
  const before = await cpuMicros(target)
  const started = performance.now()
  const times = await load(prepared, milliseconds)
  const seconds = (performance.now() - started) / 1000
  const cpu = ((await cpuMicros(target)) - before) / times.length
  times.sort((a, b) => a - b)
  const at = (part) => times[Math.floor(times.length * part)]
  return { cpu, rps: times.length / seconds, p50: at(0.5), p99: at(0.99) }
}

/** Sends requests over a few connections, each as soon as its connection is free. @returns their milliseconds */
async function load(prepared, milliseconds) {
  const times = []
  const end = performance.now() + milliseconds
  const worker = async () => {
    do times.push(await send(prepared))
    while (performance.now() < end)
  }
  await Promise.all(Array.from({ length: connections }, worker))
  return times
}

/** The processes of one server become one cell: in each round, the mean of them. */
function cellsOf(targets) {
  const cells = new Map()
  for (const { row, tools, sessions, fault, requests } of targets) {
    if (fault) continue
    for (const { revision, operation, samples } of requests) {
      const name = keyOf({ row, revision, operation, tools })
      if (!cells.has(name)) cells.set(name, { row, revision, operation, tools, sessions, processes: [] })
      cells.get(name).processes.push(samples)
    }
  }
  for (const cell of cells.values()) cell.samples = meanOfProcesses(cell.processes)
  return cells
}

function meanOfProcesses(processes) {
  return processes[0].map((sample, number) =>
    Object.fromEntries(
      Object.keys(sample).map((field) => [field, mean(processes.map((samples) => samples[number][field]))]),
    ),
  )
}

/** The name of a cell in what {@link measureCpu} returns. */
export function keyOf({ row, revision, operation, tools }) {
  return [row, revision, operation, tools ?? '-'].join(' ')
}

/** The median of one field of a cell. */
export const medianOf = (cell, field) => median(cell.samples.map((sample) => sample[field]))

/** The median of the ratios of each round, of CPU time; `undefined` when one was not measured. */
export function cpuRatio(cell, base) {
  if (!cell || !base) return undefined
  const cpu = ({ samples }) => samples.map((sample) => sample.cpu)
  return round(pairedRatio(cpu(cell), cpu(base)), 3)
}
