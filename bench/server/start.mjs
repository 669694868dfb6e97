// What a server costs before it does anything: the time to its first answer, and memory.
import { note } from '../measure.mjs'
import { rows, starters } from './plan.mjs'
import { settledBytes, startServer, stopServer } from './processes.mjs'
import { assertRight, prepare } from './requests.mjs'
import { median, round } from './statistics.mjs'

/** As little as a server can be: one tool without a schema, one resource. */
const settingsOf = ({ row }, { token, key }) => ({
  kind: rows[row].kind,
  verifier: rows[row].verifier,
  tools: 1,
  schema: false,
  sessions: false,
  token,
  key,
})

/** Some answers, after which everything is loaded that a server loads when it needs it. */
const fewRequests = 20

/**
 * Milliseconds from the start of the process to the end of its first answer, with a token; starts take turns.
 *
 * @returns one row for each server: `{ row, firstAnswerMs, toEcho }`
 */
export async function measureColdStart(credentials, { starts }, isThere) {
  const present = starters.filter(({ row }) => isThere(row))
  const samples = new Map(present.map(({ row }) => [row, []]))
  // The first start of all reads the files from the disk.
  for (let number = 0; number <= starts; number++) {
    for (const starter of number % 2 ? present : [...present].reverse()) {
      note(`cold start ${number} of ${starts}: ${rows[starter.row].title}`)
      const milliseconds = await firstAnswer(starter, credentials)
      if (number > 0) samples.get(starter.row).push(milliseconds)
    }
  }
  note('')
  const echo = samples.get('echo')
  return present.map(({ row }) => ({
    row,
    firstAnswerMs: round(median(samples.get(row))),
    toEcho: round(median(samples.get(row).map((milliseconds, n) => milliseconds / echo[n])), 3),
  }))
}

async function firstAnswer(starter, credentials) {
  const settings = settingsOf(starter, credentials)
  const started = performance.now()
  const server = await startServer(settings)
  try {
    await ask(server, starter, settings)
    return performance.now() - started
  } finally {
    await stopServer(server)
  }
}

async function ask(server, { revision }, settings, prepared) {
  const request = prepared ?? prepare(server, { revision, operation: 'call', token: settings.token })
  await assertRight(request, 'call', settings)
  return request
}

/**
 * Resident megabytes after a garbage collection: as soon as the server listens, and when it has answered a little.
 *
 * @returns one row for each server: `{ row, listeningMB, idleMB, aboveEchoMB }`
 */
export async function measureMemory(credentials, { memoryProcesses }, isThere) {
  const present = starters.filter(({ row }) => isThere(row))
  const samples = new Map(present.map(({ row }) => [row, []]))
  for (let number = 1; number <= memoryProcesses; number++) {
    note(`memory, ${number} of ${memoryProcesses}`)
    await Promise.all(
      present.map(async (starter) => samples.get(starter.row).push(await memoryOf(starter, credentials))),
    )
  }
  note('')
  const of = (row, field) => median(samples.get(row).map((sample) => sample[field])) / 1_000_000
  return present.map(({ row }) => ({
    row,
    listeningMB: round(of(row, 'listening'), 1),
    idleMB: round(of(row, 'idle'), 1),
    aboveEchoMB: round(of(row, 'idle') - of('echo', 'idle'), 1),
  }))
}

async function memoryOf(starter, credentials) {
  const settings = settingsOf(starter, credentials)
  const server = await startServer(settings, ['--expose-gc'])
  try {
    const listening = await settledBytes(server)
    let prepared
    for (let n = 0; n < fewRequests; n++) prepared = await ask(server, starter, settings, prepared)
    return { listening, idle: await settledBytes(server) }
  } finally {
    await stopServer(server)
  }
}
