import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { isLoopbackHost, numberBetween } from '../core/options.ts'

/** Where a server listens. */
export interface ListenOptions {
  /** 0 for any free one. Default: 8000. */
  readonly port?: number
  /** The address to bind. Default: `127.0.0.1`, which nobody else can reach. */
  readonly host?: string
  /** The path of the MCP endpoint. Default: `/mcp`. */
  readonly path?: string
  /**
   * Closes the server on SIGTERM, and then lets the process end as it would have. Default: true.
   */
  readonly closeOnSigterm?: boolean
}

/** A server that listens. */
export interface Listening {
  /** The MCP endpoint, with its path. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** Stops listening, lets calls in flight finish for up to five seconds, then closes what is left. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What a listener serves. */
export interface Site {
  readonly answer: SiteListener
  /** Milliseconds the body of a request may take. */
  readonly bodyTimeoutMs: number
}

/** Answers requests; told whether the caller waits for a `100 Continue` before it sends the body. */
export type SiteListener = (req: IncomingMessage, res: ServerResponse, awaitsInvitation?: boolean) => void

/** Checked {@link ListenOptions}. */
export interface ListenAddress {
  readonly port: number
  readonly host: string
  readonly path: string
  readonly loopback: boolean
}

/**
 * Checks where to listen.
 * @throws TypeError naming the option that is wrong
 */
export function listenAddress(options: ListenOptions): ListenAddress {
  const { port = 8000, host = '127.0.0.1', path = '/mcp', closeOnSigterm = true } = options
  if (typeof closeOnSigterm !== 'boolean') throw new TypeError('closeOnSigterm must be true or false')
  if (!Number.isInteger(numberBetween('port', port, 0, 65_535)))
    throw new TypeError('port must be a whole number')
  if (typeof host !== 'string' || host === '') throw new TypeError('host must be a host name or address')
  if (typeof path !== 'string' || !/^\/[\w\-./~]*$/.test(path) || /\/\.\.?(?:\/|$)/.test(path))
    throw new TypeError('path must begin with "/" and hold no query and no dot segment')
  return { port, host, path, loopback: isLoopbackHost(inOneSpelling(host)) }
}

/** `127.1` and `LOCALHOST` are this machine as well. */
function inOneSpelling(host: string): string {
  const url = `http://${hostnameOf(host)}`
  return URL.canParse(url) ? new URL(url).hostname : host
}

/** A host as it stands in a URL: an IPv6 address in brackets. */
export function hostnameOf(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** The path of a request target, which may be a whole URL (RFC 9112 section 3.2.2). Compared as it is, never decoded. */
export function pathOf(target: string | undefined): string {
  return targetOf(target).replace(/[?#].*$/s, '')
}

/** The path of a request target with its query. */
export function targetOf(target: string | undefined): string {
  const rest = (target ?? '/').replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  return rest.startsWith('/') ? rest : '/'
}

/**
 * Runs something on SIGTERM, and then lets the signal do what it would have done.
 * @returns what calls it off
 */
export function onSigterm(run: () => Promise<void>): () => void {
  const { process } = globalThis
  const end = () => {
    off()
    // Whoever else listens decides when the process ends.
    if (process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGTERM')
  }
  const listener = () => void run().then(end, end)
  const off = () => void process.off('SIGTERM', listener)
  process.on('SIGTERM', listener)
  return off
}

/** How long calls in flight may go on after `close()`, in milliseconds. */
const graceMs = 5000

/** How long the head of a request may take, and how often slow ones are looked for, in milliseconds. */
const patience = { headMs: 10_000, everyMs: 5000 }
/** How long a request may take to arrive as a whole, unless its body may take longer. */
const requestMs = 60_000

/**
 * Binds the listener.
 *
 * @param siteFor gets the bound port, which a loopback server needs to know its own origins
 * @throws Error with the system's `code` (`EADDRINUSE`, …) and a message that says what to do
 */
export async function listenOn(
  address: ListenAddress,
  siteFor: (port: number) => Site,
  maxConnections: number,
  { headMs, everyMs } = patience,
): Promise<Listening> {
  const server = createServer({ headersTimeout: headMs, connectionsCheckingInterval: everyMs })
  server.maxConnections = maxConnections
  const port = await bind(server, address)
  const { answer, bodyTimeoutMs } = siteFor(port)
  server.requestTimeout = Math.max(requestMs, headMs + bodyTimeoutMs)
  const unused = unusedSockets(server)
  server.on('request', (req, res) => answer(req, res, false))
  // By itself Node invites the body before anybody has looked at the token (RFC 9110 section 10.1.1).
  server.on('checkContinue', (req, res) => answer(req, res, true))
  let closing: Promise<void> | undefined
  const close = () => (closing ??= shutDown(server, unused))
  return {
    url: `http://${hostnameOf(address.host)}:${port}${address.path}`,
    host: address.host,
    port,
    close,
    [Symbol.asyncDispose]: close,
  }
}

function bind(server: Server, { host, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message =
        error.code === 'EADDRINUSE'
          ? `port ${port} on ${host} is in use; choose another, or port: 0 for a free one`
          : `cannot listen on ${host}, port ${port}: ${error.code ?? error.message}`
      reject(Object.assign(new Error(message, { cause: error }), { code: error.code }))
    })
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Connections that have carried no request yet. Node does not count them as idle, and would wait for one. */
function unusedSockets(server: Server): ReadonlySet<Socket> {
  const unused = new Set<Socket>()
  server.on('connection', (socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  const used = (req: IncomingMessage) => void unused.delete(req.socket)
  server.on('request', used)
  server.on('checkContinue', used)
  return unused
}

function shutDown(server: Server, unused: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), graceMs)
    // A connection whose last call is done has nothing to wait for.
    server.keepAliveTimeout = 1
    server.close(() => {
      clearTimeout(force)
      resolve()
    })
    server.closeIdleConnections()
    for (const socket of unused) socket.destroy()
  })
}
