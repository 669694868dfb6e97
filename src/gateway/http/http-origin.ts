import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** The server's end of the wire: its one URL, and the connections that are kept to it. */
export interface HttpOrigin {
  /** The value of `Host`. */
  readonly host: string
  /** Begins a request. Nothing has been sent yet. */
  open(method: string, headers: readonly string[]): ClientRequest
  close(): void
}

/**
 * Milliseconds for which a connection is kept that nobody uses. Shorter than the 5 seconds of most servers: one that is
 * used again in the moment in which the server closes it would lose a request, and nobody could say whether the server
 * had begun with it (RFC 9110 section 9.2.2; RFC 9112 section 9.3.1). Where a server says that it waits less long, Node
 * goes by that.
 */
const idleMs = 4000
/** Connections that nobody uses. */
const mostIdle = 256
/** Bytes of the head of an answer. */
const maxHeaderSize = 16_384

/** Makes an {@link HttpOrigin}. Redirects are not followed, and no proxy of the environment is used. */
export function httpOrigin(url: URL, maxSockets: number): HttpOrigin {
  const isSecure = url.protocol === 'https:'
  const settings = { keepAlive: true, timeout: idleMs, maxSockets, maxFreeSockets: mostIdle } as const
  const agent = isSecure ? new HttpsAgent(settings) : new HttpAgent(settings)
  // All connections go to one place in one way; Node would write that down anew, three times for each request.
  agent.getName = () => url.host
  const request = isSecure ? httpsRequest : httpRequest
  // An IPv6 address has brackets in a URL, and none here.
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? undefined : Number(url.port)
  const path = url.pathname + url.search
  // Written out: to copy the members of another object takes longer, and this is done for each request.
  const target = (method: string, headers: readonly string[]) => ({
    hostname,
    port,
    path,
    method,
    headers: headers as string[],
    agent,
    maxHeaderSize,
    insecureHTTPParser: false,
  })
  return {
    host: url.host,
    open: (method, headers) => request(target(method, headers)),
    close: () => agent.destroy(),
  }
}
