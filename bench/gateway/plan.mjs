// What is measured beside what, how long everything takes, and what is wanted.

/** Most that is wanted: CPU microseconds of the gateway for one call that it passes on over HTTP. */
export const wantedMicros = 120

export const parts = ['http', 'stdio', 'streams', 'connect', 'growth']

/** How a client speaks, as in `server/requests.mjs`. */
export const revisions = ['stateless', 'session', 'modern']
/** Connections at a time: one that waits for each answer, and a busy gateway. */
export const loads = [1, 8]

export const titles = {
  direct: 'direct',
  pipe: 'bare node:http pipe, looks at nothing',
  keys: 'mcp-bearer protect, API keys in SQLite',
  jwt: 'mcp-bearer protect, JWT and JWKS',
  ours: 'mcp-bearer protect',
  supergateway: 'supergateway',
  'mcp-proxy': 'mcp-proxy',
  connect: 'mcp-bearer connect',
}

/** What the others do and do not do, so that nobody takes their numbers for those of the same job. */
export const remarks = {
  http: 'supergateway and mcp-proxy have no HTTP in front of HTTP. The pipe checks no token, no body, no session, and writes no log.',
  stdio:
    'supergateway and mcp-proxy check no token (mcp-proxy: one fixed key by option), know no policy, write no log line for a call.',
  connect: 'supergateway has a fixed token by option; it renews none.',
}

/** Messages of a stream. */
export const streams = {
  '2,000 events of 1 kB': { events: 2000, bytes: 1000 },
  '200 events of 64 kB': { events: 200, bytes: 64_000 },
}

/** Calls of a cell below which its program was perhaps not compiled yet, and looks slower than it is. */
export const leastCalls = 1000

export const sessionCounts = [1, 10, 100, 1000]
export const ruleCounts = [0, 10, 200]

/** Milliseconds of a part: together less than five minutes. */
const budgetsMs = { http: 90_000, stdio: 40_000, streams: 50_000, connect: 25_000, growth: 55_000 }
const quickly = Object.fromEntries(parts.map((name) => [name, 3000]))

/** A round that would not end within the budget of its part is left out: on a busy machine the numbers get worse, not later. */
export const paces = {
  full: { rounds: 10, sampleMs: 250, warmUpMs: 10_000, budgetsMs, sessionCounts },
  quick: { rounds: 1, sampleMs: 40, warmUpMs: 400, budgetsMs: quickly, sessionCounts: [1, 10] },
}
