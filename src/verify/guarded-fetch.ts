import type { IncomingMessage, request as nodeRequest } from 'node:http'
import type { LookupFunction } from 'node:net'
import { isLoopbackHost } from '../core/options.ts'
import { type AddressKind, addressKind } from './address.ts'

/** How much an operator's own words open. A URL that was discovered, in metadata or a challenge, has neither. */
export interface UrlTrust {
  /** Hosts that are literally this machine: `localhost`, `127.0.0.1`, `[::1]`. Never a name that resolves to it. */
  readonly loopback: boolean
  /** Addresses of private networks, written or resolved to: RFC 1918, RFC 6598, RFC 4193. */
  readonly privateNetwork: boolean
}

/** One request, small enough to hold in memory. */
export interface GuardedInit {
  /** Default: `GET`. */
  readonly method?: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Ends the request at any stage, the body of the answer included. */
  readonly signal: AbortSignal
}

/** Resolves a host name to all of its addresses, as `lookup` of `node:dns/promises` with `all: true` does. */
export type Lookup = (hostname: string) => Promise<readonly { readonly address: string }[]>

/** What {@link guardedFetch} makes. */
export type GuardedFetch = (url: URL, init: GuardedInit) => Promise<Response>

/**
 * Judges a URL by its parsed form, before anything is resolved or connected (OWASP API7:2023, server-side request
 * forgery; RFC 8414 section 2 for https).
 *
 * @returns a sentence for the operator that names what is wrong and what to do, never the query or user name of the
 *   URL; `undefined` when there is nothing to say
 */
export function complaintOf(url: URL, trust: UrlTrust): string | undefined {
  const { hostname } = url
  const isLoopback = isLoopbackHost(hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback && trust.loopback)) {
    return 'the URL must use https; http is taken for localhost only, where the operator wrote it'
  }
  if (url.username !== '' || url.password !== '') {
    return 'the URL must not hold a user name or password; give credentials as options'
  }
  if (isLoopback && !trust.loopback) return `${hostname} is ${blame.loopback}`
  const wasDiscovered = !trust.loopback && !trust.privateNetwork
  // Below are the ports of mail, shells and the like, and whoever made us ask chose the first bytes they read.
  if (wasDiscovered && url.port !== '' && Number(url.port) < 1024) {
    return 'the URL must use the default port of https, or one from 1024 on'
  }
  const ip = literalAddress(hostname)
  const wrong = ip === undefined ? undefined : wrongAddress(ip, hostname, trust)
  return wrong === undefined ? undefined : `${hostname} is ${wrong}`
}

/**
 * A function shaped like `fetch`, for JSON endpoints of authorization servers: it refuses what {@link complaintOf}
 * complains of and never follows a redirect. On Node it also resolves the name itself, once, checks every address, and
 * connects to what it checked: a name that answers differently the second time gains nothing. Where a runtime cannot
 * do that, the check of the URL still applies.
 *
 * @param custom the operator's own fetch, used for every request. It may go through a proxy, and names are resolved
 *   there: what they resolve to on this machine says nothing, so only the URL is checked
 * @param lookup instead of the resolver of this machine; for tests
 */
export function guardedFetch(
  trust: UrlTrust,
  custom?: typeof globalThis.fetch,
  lookup?: Lookup,
): GuardedFetch {
  const send =
    custom === undefined
      ? // Looked up when used, and called as a member: some runtimes refuse a detached fetch.
        (pinnedSend(trust, lookup) ?? unpinnedSend((input, init) => globalThis.fetch(input, init)))
      : unpinnedSend(custom)
  return async (url, init) => {
    const target = new URL(url)
    target.hash = ''
    const complaint = complaintOf(target, trust)
    if (complaint !== undefined) throw new Error(complaint)
    init.signal.throwIfAborted()
    return send(target, init)
  }
}

function unpinnedSend(fetch: typeof globalThis.fetch): GuardedFetch {
  return (target, init) => fetch(target.href, { ...init, redirect: 'manual' })
}

/** What is wrong with each kind of address, after "… is". */
const blame: Readonly<Record<Exclude<AddressKind, 'public'>, string>> = {
  loopback: 'this machine; that is taken only where the operator wrote localhost or its address into the URL',
  private: 'in a private network; set allowPrivateNetwork if that is meant',
  special: 'reserved (link-local, cloud metadata, multicast or the like); no server is reached by it',
}

function wrongAddress(ip: string, hostname: string, trust: UrlTrust): string | undefined {
  const kind = addressKind(ip)
  if (isLoopbackHost(hostname)) {
    return kind === 'loopback'
      ? undefined
      : 'not this machine, as the name says; repair its entry for the name'
  }
  return kind === 'public' || (kind === 'private' && trust.privateNetwork) ? undefined : blame[kind]
}

/** The parser of URLs has made every spelling of IPv4 four decimal numbers, and refused a name that ends in another number. */
function literalAddress(hostname: string): string | undefined {
  if (hostname.startsWith('[')) return hostname.slice(1, -1)
  return /^[\d.]+$/.test(hostname) ? hostname : undefined
}

/** @returns undefined where this is not Node */
function pinnedSend(trust: UrlTrust, resolve: Lookup | undefined): GuardedFetch | undefined {
  const node = nodeProcess()
  if (node === undefined) return undefined
  // Not imported: this file is loaded where there are no such modules, too.
  const { request: plain } = node.getBuiltinModule('node:http')
  const { request: secure } = node.getBuiltinModule('node:https')
  const { Readable } = node.getBuiltinModule('node:stream')
  const dns = node.getBuiltinModule('node:dns/promises')
  const lookup = checkedLookup(trust, resolve ?? ((hostname) => dns.lookup(hostname, { all: true })))
  const toWeb = (body: IncomingMessage) => Readable.toWeb(body)
  return (target, init) => {
    const request = target.protocol === 'https:' ? secure : plain
    return exchange(target, init, { request, lookup, toWeb })
  }
}

interface Runtime {
  readonly process?: NodeJS.Process
  readonly navigator?: { readonly userAgent?: string }
}

/** The `process` of Node itself. Other runtimes imitate it, but may not heed the `lookup` of a connection. */
function nodeProcess(): NodeJS.Process | undefined {
  const { process, navigator }: Runtime = globalThis
  const versions: Readonly<Record<string, string | undefined>> = process?.versions ?? {}
  const isOther =
    versions.bun !== undefined || versions.deno !== undefined || navigator?.userAgent === 'Cloudflare-Workers'
  return isOther || typeof process?.getBuiltinModule !== 'function' ? undefined : process
}

/**
 * The resolver of one connection. The socket gets the very addresses that were checked; it asks once, and for a
 * literal address, which {@link complaintOf} has judged, not at all.
 */
function checkedLookup(trust: UrlTrust, resolve: Lookup): LookupFunction {
  return (hostname, { all }, done) => {
    checked(hostname).then(
      ([first, ...others]) =>
        all ? done(null, [first, ...others]) : done(null, first.address, first.family),
      (error: Error) => done(error, []),
    )
  }

  async function checked(hostname: string) {
    const [first, ...others] = (await resolve(hostname)).map(({ address }) => {
      const wrong = wrongAddress(address, hostname, trust)
      // One bad address refuses all: which of them is tried first is not ours to say.
      if (wrong !== undefined) throw new Error(`${hostname} resolves to ${address}, which is ${wrong}`)
      return { address, family: address.includes(':') ? 6 : 4 }
    })
    if (first === undefined) throw new Error(`${hostname} resolves to no address`)
    return [first, ...others] as const
  }
}

/** What Node does for one request. */
interface NodeTools {
  readonly request: typeof nodeRequest
  readonly lookup: LookupFunction
  readonly toWeb: (body: IncomingMessage) => ConstructorParameters<typeof Response>[0]
}

function exchange(target: URL, init: GuardedInit, { request, lookup, toWeb }: NodeTools): Promise<Response> {
  const { method = 'GET', headers, body, signal } = init
  return new Promise((resolve, reject) => {
    const outgoing = request(target, {
      // A connection of its own: one from a pool was made for a check that is over.
      agent: false,
      lookup,
      method,
      headers: { 'user-agent': 'mcp-bearer', ...headers, 'accept-encoding': 'identity' },
    })
    let answer: IncomingMessage | undefined
    const stop = () => {
      // The answer first: the request would end it with an error of its own.
      answer?.destroy(signal.reason)
      outgoing.destroy(signal.reason)
    }
    signal.addEventListener('abort', stop)
    outgoing.on('close', () => {
      signal.removeEventListener('abort', stop)
      // After an answer, or an error, this changes nothing. There are ends with neither, as a change of protocol.
      reject(new Error(`no answer from ${target.host}`))
    })
    // Stays for good: what befalls a connection later must not end the process.
    outgoing.on('error', (error) => reject(signal.aborted ? signal.reason : failure(target, error)))
    outgoing.on('response', (incoming) => {
      answer = incoming
      // What befalls the body, its stream tells; an error that nobody listens to could end the process.
      incoming.on('error', () => {})
      try {
        resolve(toResponse(incoming, toWeb))
      } catch (error) {
        incoming.destroy()
        reject(error)
      }
    })
    outgoing.end(body)
  })
}

/** Statuses whose answer has no body: the Fetch standard, "null body status". */
const bodiless = new Set([204, 205, 304])

function toResponse(incoming: IncomingMessage, toWeb: NodeTools['toWeb']): Response {
  const { statusCode: status = 0, headersDistinct } = incoming
  const encoding = incoming.headers['content-encoding'] ?? 'identity'
  // Nothing is ever unpacked, so a small answer cannot become a large one.
  if (encoding.toLowerCase() !== 'identity')
    throw new Error('the answer is compressed although not asked for')
  if (status < 200 || status > 599) throw new Error(`the answer has status ${status}`)
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value)
  }
  if (!bodiless.has(status)) return new Response(toWeb(incoming), { status, headers })
  // Hung up, not read to its end: who sends a body with such a status may never end it.
  incoming.destroy()
  return new Response(null, { status, headers })
}

/** Errors of the network, told by host and code: where all of several addresses fail, the message itself is empty. */
function failure(target: URL, error: Error): Error {
  const code = 'code' in error ? String(error.code) : undefined
  if (code === undefined) return error
  // The error of the HTTP parser holds what the server sent.
  const isParser = code.startsWith('HPE_')
  return new Error(`no answer from ${target.host}: ${code}`, isParser ? {} : { cause: error })
}
