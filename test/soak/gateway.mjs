// Eight hours of a gateway in some minutes: many calls through the built package, while connections are cut, sessions are
// lost, and servers are restarted. Every call is answered once and carried out once at most, nothing reaches anybody else,
// and nothing is left of it. Needs the built package, and Linux for /proc.
//
//   node test/soak/gateway.mjs [--quick] [--seed N] [--calls N]
//
// A quick run has too few calls for a small leak to show: it finds those of some kilobytes a call.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ECKeyPair } from 'mcp-bearer/issuer'
import { people } from './crowd.mjs'
import { callBook, weather } from './gateway/book.mjs'
import { modernClient, sessionClient } from './gateway/clients.mjs'
import { echoServer } from './gateway/echo-http.mjs'
import { bridgeHost } from './gateway/hosts.mjs'
import { childrenOf, descriptors, processesWith, startGateway } from './gateway/processes.mjs'
import { slopeOf } from './gateway/slope.mjs'
import { randomFrom } from './random.mjs'
import { wires } from './wire.mjs'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, seed: { type: 'string' }, calls: { type: 'string' } },
})
const seed = Number(values.seed ?? 1)
const calls = Number(values.calls ?? (values.quick ? 6000 : 100_000))
const rounds = values.quick ? 6 : 20
/** Of all calls, in percent. */
const shares = { http: 50, session: 15, principal: 15, bridges: 20 }
/** Milliseconds after which a round hangs. */
const roundMs = 150_000
/** What is done to them in each round. */
const restartsPerRound = 2
const crashesPerRound = values.quick ? 2 : 3
const goals = values.quick ? { reconnects: 200, crashes: 20 } : { reconnects: 1000, crashes: 100 }

/**
 * MiB that may come on top in the second half of a run, and in 10,000 calls: more than both is a leak. What is held after a
 * collection moves by some tenths; 1 MiB in 10,000 calls are 105 bytes a call, less than anything that is kept of one.
 * The resident set goes up and down by 35 with the size of the young generation.
 */
const bounds = { held: { growth: 1, slope: 1 }, rss: { growth: 48, slope: 4 } }

const random = randomFrom(seed)
const began = performance.now()
const seconds = () => ((performance.now() - began) / 1000).toFixed(1)
const book = callBook((text) => console.error(`FAULT ${text}`))
const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-soak-'))
const file = (name) => join(folder, name)

console.log(`${calls} calls in ${rounds} rounds, seed ${seed}`)
// People, and the servers they call.
const pair = await ECKeyPair.generate()
writeFileSync(file('key.pem'), pair.publicKey)
const issuer = 'https://id.example'
const crowd = people(37, random)
for (const person of crowd) {
  person.sky = weather()
  person.token = await pair.createToken({
    subject: person.mark,
    issuer,
    audience: 'soak',
    expiresInSeconds: 7200,
  })
}
const byToken = new Map(crowd.map(({ token, mark }) => [token, mark]))
const sky = weather()
const echo = await echoServer(book, whoIs, sky)
const doors = ['--public-key', file('key.pem'), '--issuer', issuer, '--audience', 'soak']
const child = fileURLToPath(new URL('gateway/echo-stdio.mjs', import.meta.url))
const commandOf = (per) => [
  ...[...doors, '--per', per, '--identity', 'env', '--idle', '5', '--'],
  ...[process.execPath, child, file(`journal-${per}`)],
]
const identity = ['--identity', 'jwt', '--identity-key', file('identity.pem')]
const [web, session, principal] = await Promise.all([
  startGateway('http gateway', [echo.url, ...doors, ...identity, '--allowed-host', '127.0.0.1']),
  startGateway('command gateway, per session', commandOf('session')),
  startGateway('command gateway, per principal', commandOf('principal')),
])
const gateways = [web, session, principal]
for (const gateway of gateways) await gateway.memory()
const before = gateways.map(({ pid }) => descriptors(pid))

const reconnects = { sessions: 0, streams: 0, calls: 0 }
const notes = { heard: 0, streams: 0, busy: 0 }
const shared = { book, reconnects, notes }
const ofSky = { mayFail: () => sky.watch(), storm: () => stormOf(sky) }
const ofPerson = { mayFail: (who) => who.sky.watch(), storm: (who) => stormOf(who.sky) }
const parts = {
  http: httpPart('http', web, crowd.slice(0, 16)),
  session: commandPart('session', session, crowd.slice(16, 24)),
  principal: commandPart('principal', principal, crowd.slice(24, 32)),
  bridges: await bridgesPart(crowd.slice(32)),
}
const watched = [
  ...gateways.map((process_, n) => ({
    process: process_,
    part: [parts.http, parts.session, parts.principal][n],
  })),
  ...parts.bridges.hosts.map((host) => ({ process: host.process, part: host })),
]
const series = new Map(watched.map((each) => [each, []]))

for (let round = 1; round <= rounds && !book.isFull; round++) {
  const share = (name) => Math.round((calls * shares[name]) / 100 / rounds)
  await Promise.all(Object.entries(parts).map(([name, part]) => withPatience(name, part.round(share(name)))))
  await sample()
  console.log(`round ${round}, ${seconds()} s: ${totals()}`)
}
const counts = await end()
report(counts)
process.exit(book.faults.length === 0 ? 0 : 1)

/** A part that hangs says where, and ends all. */
async function withPatience(name, work) {
  let timer
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${name}: the round is not over`)), roundMs)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}

function stormOf(one) {
  one.begin()
  return () => one.end()
}

/** Who calls, as the server behind a gateway is told, or a bridge says. */
function whoIs({ headers }) {
  const { 'mcp-identity': said, authorization } = headers
  if (said === undefined) return byToken.get(authorization?.replace(/^Bearer /, ''))
  if (authorization !== undefined) book.fault('a token was passed on')
  return JSON.parse(Buffer.from(said.split('.')[1], 'base64url')).sub
}

/** So many at a time, until there were so many. */
async function crew(count, parallel, one) {
  let begun = 0
  async function walk() {
    while (begun < count && !book.isFull) {
      const n = begun++
      await one(n)
    }
  }
  await Promise.all(Array.from({ length: parallel }, walk))
}

function pick(table) {
  let left = random.below(100)
  for (const [share, how] of table) {
    left -= share
    if (left < 0) return how
  }
  return table[0][1]
}

function httpPart(where, gateway, ours) {
  const world = { ...shared, ...ofSky, where, port: gateway.port, net: wires(gateway.port) }
  const clients = ours.flatMap((who) => [sessionClient(world, who), modernClient(world, who)])
  const standing = clients.filter((each) => !each.isModern)
  for (const client of standing) client.listen()
  const common = [
    [60, 'json'],
    [20, 'stream'],
    [1, 'cut'],
    [1, 'break'],
    [2, 'hang'],
  ]
  const ofSessions = [...common, [8, 'push'], [6, 'ask'], [1, 'forget']]
  const part = {
    done: 0,
    clients,
    net: world.net,
    async round(count) {
      const restarts = []
      const every = Math.floor(count / (restartsPerRound + 1))
      await crew(count, 32, async (n) => {
        if (n % every === every - 1 && restarts.length < restartsPerRound)
          restarts.push(echo.restart(everybodyLooks))
        if (n % 100 === 50) random.one(standing).cutStream()
        const client = random.one(clients)
        await client.ready()
        part.done++
        await client.ask(book.begin(client.who, where), pick(client.isModern ? common : ofSessions))
      })
      await Promise.all(restarts)
    },
  }
  return part
}

function commandPart(where, gateway, ours) {
  const world = { ...shared, ...ofPerson, where, port: gateway.port, net: wires(gateway.port) }
  const clients = ours.flatMap((who) => [
    sessionClient(world, who),
    sessionClient(world, who),
    modernClient(world, who),
  ])
  const standing = clients.filter((each) => !each.isModern)
  for (const client of standing.filter((_, n) => n % 2 === 0)) client.listen()
  const common = [
    [75, 'json'],
    [15, 'stream'],
    [2, 'late'],
  ]
  const ofSessions = [...common, [5, 'push'], [3, 'ask']]
  const isResting = ({ who }) => performance.now() < (who.restsUntil?.[where] ?? 0)

  async function one(how) {
    const free = clients.filter((each) => !isResting(each))
    if (free.length === 0) return void (await pause(50))
    const client = random.one(free)
    await client.ready()
    part.done++
    const own = how ?? pick(client.isModern ? common : ofSessions)
    const calm = own === 'crash' ? stormOf(client.who.sky) : undefined
    await client.ask(book.begin(client.who, where), own)
    calm?.()
  }

  const part = {
    done: 0,
    clients,
    net: world.net,
    async round(count) {
      const every = Math.floor(count / crashesPerRound)
      await crew(count, 16, async (n) => {
        if (n % 150 === 75) random.one(standing).cutStream()
        if (n % 300 === 200) await random.one(standing).restart()
        await one(n % every === every - 1 ? 'crash' : undefined)
      })
    },
  }
  return part
}

async function bridgesPart(ours) {
  const world = { ...shared, ...ofSky }
  const direct = { ...world, where: 'bridge', url: echo.url }
  const chained = { ...world, where: 'bridge through the gateway', url: `http://127.0.0.1:${web.port}/mcp` }
  const hosts = ours.map((who, n) => bridgeHost(n < 3 ? direct : chained, who, n % 2 === 1))
  await Promise.all(hosts.map((host) => host.open()))
  const common = [
    [70, 'json'],
    [15, 'stream'],
    [1, 'cut'],
    [1, 'break'],
  ]
  const ofSessions = [...common, [6, 'push'], [5, 'ask'], [2, 'forget']]
  for (const host of hosts) host.done = 0
  return {
    hosts,
    async round(count) {
      const each = Math.ceil(count / hosts.length)
      await Promise.all(
        hosts.map((host) =>
          crew(each, 4, async () => {
            host.done++
            const how = pick(host.isModern ? common : ofSessions)
            await host.ask(book.begin(host.who, host.where), how)
          }),
        ),
      )
    },
  }
}

async function everybodyLooks() {
  await Promise.all(watched.filter((each) => each.process.isRunning()).map((each) => each.process.ping()))
}

async function sample() {
  for (const [each, points] of series)
    points.push({ calls: each.part.done, ...(await each.process.memory()) })
}

function totals() {
  const { sessions, streams, calls: cut } = reconnects
  const gone = `${sessions} sessions, ${streams} streams and ${cut} calls taken up again`
  return `${echo.seen.restarts} restarts of the server, ${gone}, ${notes.busy} times busy`
}

/** Ends all, and looks what is left. */
async function end() {
  const { http, session: first, principal: second, bridges } = parts
  for (const { clients, net } of [http, first, second]) {
    await Promise.all(clients.map((client) => client.close()))
    net.close()
  }
  for (const host of bridges.hosts) {
    const code = await host.close()
    if (code !== 0) book.fault(`${host.process.name} ended with ${code}: ${host.process.errors.join('\n')}`)
  }
  await expect('calls that hang in the server', 0, () => echo.hanging.size)
  await echo.stop()
  for (const [n, { name, pid }] of gateways.entries()) {
    await expect(`${name}: processes`, 0, () => childrenOf(pid).length)
    await expect(`${name}: descriptors`, before[n], () => descriptors(pid))
  }
  for (const gateway of gateways) {
    gateway.stop()
    const code = await gateway.ended
    if (code !== 0) book.fault(`${gateway.name} ended with ${code}: ${gateway.errors.join('\n')}`)
  }
  await expect('processes that are left', 0, () => processesWith(folder).length)
  const journals = ['session', 'principal'].map((per) => readFileSync(file(`journal-${per}`), 'utf8'))
  rmSync(folder, { recursive: true })
  return { ...readJournals(journals), answers: book.close() }
}

/** What has to be so after a while. */
async function expect(what, wanted, look) {
  const until = performance.now() + 15_000
  while (look() !== wanted && performance.now() < until) await pause(50)
  const found = look()
  if (found !== wanted) book.fault(`${what}: ${found}, not ${wanted}`)
}

function readJournals(texts) {
  let [starts, crashes, unanswered] = [0, 0, 0]
  for (const line of texts.join('').trim().split('\n')) {
    const [kind, mark, text, how] = line.split(' ')
    if (kind === 'start') starts++
    else if (kind === 'unanswered') unanswered++
    else if (kind === 'ran') {
      book.ran(text, mark)
      if (how === 'crash') crashes++
    } else book.fault(line)
  }
  return { starts, crashes, unanswered }
}

function report({ starts, crashes, unanswered, answers }) {
  console.log(`\n${crashes} crashes in a call, ${starts} processes started; ${totals()}`)
  for (const [where, { result, error, refused, left }] of Object.entries(answers))
    console.log(`${where}: ${result} results, ${error} errors, ${refused} refused, ${left} left`)
  console.log(
    `${notes.heard} notifications heard, on ${notes.streams} streams and in calls; ${unanswered} questions were lost with a stream`,
  )
  const all = reconnects.sessions + reconnects.streams + reconnects.calls
  if (all < goals.reconnects) book.fault(`${all} reconnects, not ${goals.reconnects}`)
  if (crashes < goals.crashes) book.fault(`${crashes} crashes, not ${goals.crashes}`)
  for (const [each, points] of series) memoryOf(each.process.name, points)
  if (book.faults.length > 0) for (const each of series.keys()) tellLog(each.process)
  console.log(`\n${seconds()} s, ${book.faults.length} faults`)
}

function tellLog({ name, errors }) {
  if (errors.length > 0) console.log(`\n${name} said last:\n  ${errors.slice(-15).join('\n  ')}`)
}

function memoryOf(name, samples) {
  const points = samples.map((each) => ({ ...each, held: each.heapUsed + each.external }))
  const half = points.slice(Math.floor(points.length / 2))
  const span = (half.at(-1).calls - half[0].calls) / 10_000
  console.log(`\n${name}: ${points.at(-1).calls} calls`)
  for (const [what, bound] of Object.entries(bounds)) {
    const slope = slopeOf(half.map((point) => [point.calls / 10_000, point[what] / 2 ** 20]))
    const sizes = points.map((point) => (point[what] / 2 ** 20).toFixed(1))
    const text = `${slope.toFixed(2)} MiB in 10,000 calls`
    console.log(`  ${what}, MiB: ${sizes.join(' ')}; in the second half ${text}`)
    if (slope > bound.slope && slope * span > bound.growth) book.fault(`${name}: ${what} grows by ${text}`)
  }
}
