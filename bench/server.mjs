// What protection costs: CPU time per tools/call with and without a token, and with 1 to 1,000 registered tools, all in
// one run. Rounds of the variants are interleaved, so that a noisy machine disturbs all alike; medians and ratios count.
//
//   npm run bench                 the whole run, about two minutes
//   npm run bench -- --quick      a short one, to see that it works
//   npm run bench -- --json       for programs
import { execFileSync, fork } from 'node:child_process'
import { Agent, request } from 'node:http'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

const quick = process.argv.includes('--quick')
const json = process.argv.includes('--json')
const rounds = quick ? 2 : 5
const amount = quick ? 500 : 2000
const warmUp = quick ? 500 : 5000
/** Two processes of one program differ by some percent for their whole life; so each variant runs in several. */
const instances = quick ? 1 : 3

const variants = [
  { name: 'node:http echo', kind: 'echo' },
  { name: 'open, 1 tool', kind: 'open', tools: 1 },
  { name: 'token, 1 tool', kind: 'auth', tools: 1 },
  { name: 'token, 10 tools', kind: 'auth', tools: 10 },
  { name: 'token, 100 tools', kind: 'auth', tools: 100 },
  { name: 'token, 1000 tools', kind: 'auth', tools: 1000 },
]

/** Pins this process (the load) to the last core, and servers to the first, where the system can. */
function pin(pid, core) {
  if (cpus().length < 2) return false
  try {
    execFileSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function note(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`)
}

async function startTarget(variant) {
  const child = fork(fileURLToPath(new URL('./target.mjs', import.meta.url)), [JSON.stringify(variant)])
  const [message] = await Promise.race([
    new Promise((resolve) => child.once('message', (...args) => resolve(args))),
    new Promise((_resolve, reject) =>
      child.once('exit', (code) => reject(new Error(`${variant.name} ended with ${code}`))),
    ),
  ])
  return { ...variant, child, ...message.ready, pinned: pin(child.pid, 0), samples: [] }
}

/** User and system time of the server in microseconds. */
async function usage({ child }) {
  const answer = new Promise((resolve) => child.once('message', resolve))
  child.send('usage')
  const { user, system } = (await answer).usage
  return user + system
}

/** The request of one call, in the protocol revision 2026-07-28. */
function call({ url, token }) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const params = { name: 'tool_0', arguments: {}, _meta }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'tool_0',
    ...(token && { authorization: `Bearer ${token}` }),
  }
  return { url, options: { method: 'POST', headers }, body }
}

const connections = 4
const agent = new Agent({ keepAlive: true, maxSockets: connections })

/** Sends one call and resolves with its time in milliseconds. */
function send({ url, options, body }) {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, agent }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - started)
        else reject(new Error(`the answer was ${response.statusCode}`))
      })
    })
    sent.once('error', reject).end(body)
  })
}

/** Sends `count` calls over a few connections, each call as soon as its connection is free. */
async function load(target, count) {
  const prepared = call(target)
  const times = []
  let left = count
  const worker = async () => {
    while (left-- > 0) times.push(await send(prepared))
  }
  await Promise.all(Array.from({ length: connections }, worker))
  return times.sort((a, b) => a - b)
}

async function measure(target) {
  const before = await usage(target)
  const started = performance.now()
  const times = await load(target, amount)
  const seconds = (performance.now() - started) / 1000
  target.samples.push({
    cpu: ((await usage(target)) - before) / amount,
    rps: amount / seconds,
    p50: times[Math.floor(amount * 0.5)],
    p99: times[Math.floor(amount * 0.99)],
  })
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
/** The samples of all processes of a variant, in the order of their rounds. */
const samplesOf = (variant) =>
  targets.filter(({ name }) => name === variant.name).flatMap(({ samples }) => samples)
const of = (variant, field) => median(samplesOf(variant).map((sample) => sample[field]))
/** The median of the ratios of each round: what both variants suffered alike falls out. */
const ratio = (variant, base) =>
  median(samplesOf(variant).map((sample, round) => sample.cpu / samplesOf(base)[round].cpu))

const loadPinned = pin(process.pid, cpus().length - 1)
const targets = []
try {
  for (let instance = 0; instance < instances; instance++) {
    for (const variant of variants) {
      note(`starting ${variant.name}`)
      targets.push(await startTarget(variant))
    }
  }
  for (const target of targets) {
    note(`warming up ${target.name}`)
    await load(target, warmUp)
  }
  for (let round = 1; round <= rounds; round++) {
    for (const target of round % 2 ? targets : [...targets].reverse()) {
      note(`round ${round} of ${rounds}: ${target.name}`)
      await measure(target)
    }
  }
  note('')
} finally {
  agent.destroy()
  for (const { child } of targets) child.kill()
}

const [echo, open, auth, , , thousand] = variants
const results = variants.map((target) => ({
  variant: target.name,
  cpuMicrosPerRequest: Math.round(of(target, 'cpu')),
  requestsPerSecond: Math.round(of(target, 'rps')),
  p50Ms: Number(of(target, 'p50').toFixed(2)),
  p99Ms: Number(of(target, 'p99').toFixed(2)),
}))
const ratios = {
  'token / open (1 tool)': ratio(auth, open),
  '1000 tools / 1 tool (token)': ratio(thousand, auth),
  'token / echo': ratio(auth, echo),
}

if (json) {
  console.log(
    JSON.stringify(
      { node: process.version, instances, rounds, amount, pinned: loadPinned, results, ratios },
      undefined,
      2,
    ),
  )
} else {
  console.log(
    `Node ${process.version}, ${cpus().length} cores, ${instances} processes a variant, ${rounds} interleaved rounds of ${amount} calls each, medians`,
  )
  console.log(
    loadPinned ? 'server on core 0, load on the last core' : 'server and load are not pinned to cores',
  )
  console.table(Object.fromEntries(results.map(({ variant, ...figures }) => [variant, figures])))
  for (const [name, value] of Object.entries(ratios)) console.log(`${name.padEnd(30)} ${value.toFixed(3)}`)
}
