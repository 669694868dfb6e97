import { Agent, type IncomingMessage, request } from 'node:http'

/** What became of the requests with one token, on one node. Times are those of the stopwatch of this process. */
export interface Seen {
  accepted: number
  /** When the last request was sent that was accepted. */
  lastAccepted: number
  /** When the first request was sent that was refused. */
  firstRefused: number
  /** When the first refusal was there. */
  firstRefusalAt: number
  refused: number
  unavailable: number
  /** The longest that nothing but 503 came, in milliseconds. */
  outage: number
  outageSince: number | undefined
}

/** A token under load. */
export interface Watched {
  readonly token: string
  /** By node. */
  readonly seen: readonly Seen[]
  /** Whether its verdict is expected to change soon: then it is asked about as often as possible. */
  isHot: boolean
}

/** Requests over sockets, one after the other on each, and each with one of the tokens that are watched. */
export interface Load {
  watch(token: string): Watched
  unwatch(one: Watched): void
  /** Resolves when something holds that changes with answers. @throws Error when it does not within so many milliseconds */
  until(what: string, holds: () => boolean, withinMs: number): Promise<void>
  /** Answers so far, by status. */
  readonly statuses: ReadonlyMap<number, number>
  stop(): Promise<void>
}

/** Puts nodes under load. */
export function load(urls: readonly string[], connectionsPerNode: number): Load {
  const watched = new Set<Watched>()
  const waiting = new Set<() => void>()
  const statuses = new Map<number, number>()
  let isOver = false

  const connection = async (node: number, agent: Agent) => {
    for (let turn = 0; !isOver; turn++) {
      // Every fourth request is for those nobody waits for.
      const [hot, cold] = [true, false].map((is) => [...watched].filter(({ isHot }) => isHot === is))
      const from = (turn % 4 === 0 ? cold : hot)!
      const list = from.length > 0 ? from : [...watched]
      const one = list[Math.floor(Math.random() * list.length)]
      if (one === undefined) await new Promise(setImmediate)
      else {
        const sent = performance.now()
        note(one.seen[node]!, sent, await statusOf(urls[node]!, one.token, agent))
      }
      for (const look of waiting) look()
    }
    agent.destroy()
  }

  function note(seen: Seen, sent: number, status: number): void {
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    const now = performance.now()
    if (status === 503) {
      seen.unavailable += 1
      seen.outageSince ??= sent
      return
    }
    if (seen.outageSince !== undefined) seen.outage = Math.max(seen.outage, now - seen.outageSince)
    seen.outageSince = undefined
    if (status === 200) {
      seen.accepted += 1
      seen.lastAccepted = Math.max(seen.lastAccepted, sent)
    } else if (status === 401) {
      seen.refused += 1
      seen.firstRefused = Math.min(seen.firstRefused, sent)
      seen.firstRefusalAt = Math.min(seen.firstRefusalAt, now)
    }
  }

  const running = urls.flatMap((_, node) =>
    Array.from({ length: connectionsPerNode }, () =>
      connection(node, new Agent({ keepAlive: true, maxSockets: 1 })),
    ),
  )
  return {
    statuses,
    watch(token) {
      const one: Watched = { token, seen: urls.map(nothingSeen), isHot: true }
      watched.add(one)
      return one
    },
    unwatch: (one) => void watched.delete(one),
    until: (what, holds, withinMs) =>
      new Promise((resolve, reject) => {
        const deadline = performance.now() + withinMs
        const look = () => {
          if (holds()) resolve()
          else if (performance.now() > deadline) reject(new Error(`not within ${withinMs} ms: ${what}`))
          else return
          waiting.delete(look)
        }
        waiting.add(look)
      }),
    async stop() {
      isOver = true
      await Promise.all(running)
    },
  }
}

function nothingSeen(): Seen {
  return {
    accepted: 0,
    lastAccepted: Number.NEGATIVE_INFINITY,
    firstRefused: Number.POSITIVE_INFINITY,
    firstRefusalAt: Number.POSITIVE_INFINITY,
    refused: 0,
    unavailable: 0,
    outage: 0,
    outageSince: undefined,
  }
}

/** The status of the answer to a call of the tool `ping`. */
export async function statusOf(url: string, token: string, agent: Agent): Promise<number> {
  const answer = await post(url, token, 'tools/call', { name: 'ping', arguments: {} }, agent)
  return new Promise((resolve, reject) => {
    answer.on('end', () => resolve(answer.statusCode ?? 0)).on('error', reject)
    answer.resume()
  })
}

/** Opens a stream. @returns resolves with the moment it ends */
export async function openStream(url: string, token: string): Promise<{ readonly ended: Promise<number> }> {
  const params = { notifications: { toolsListChanged: true } }
  const answer = await post(url, token, 'subscriptions/listen', params, new Agent())
  if (answer.statusCode !== 200) throw new Error(`a stream was refused: ${answer.statusCode}`)
  // The acknowledgement.
  await new Promise((resolve) => answer.once('data', resolve))
  const ended = new Promise<number>((resolve) => answer.once('close', () => resolve(performance.now())))
  answer.on('error', () => {}).resume()
  return { ended }
}

/** A request of MCP 2026-07-28. */
function post(
  url: string,
  token: string,
  method: string,
  params: Readonly<Record<string, unknown>>,
  agent: Agent,
): Promise<IncomingMessage> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'load', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof params.name === 'string' && { 'mcp-name': params.name }),
  }
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', agent, headers }, resolve)
      .on('error', reject)
      .end(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }))
  })
}
