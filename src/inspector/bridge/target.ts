import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { customHeaders } from '../../client/fetch/headers.ts'
import { serverAt } from '../../client/fetch/server.ts'
import { isLoopbackHost } from '../../core/options.ts'

/** The one server a bridge leads to. */
export interface Target {
  /** The endpoint, without a fragment. */
  readonly url: URL
  /** Sent with every request: those of the person who started the bridge. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Whether credentials may be sent there: it is https, this machine, or the person said so. */
  readonly takesCredentials: boolean
  /** Whether it is this machine. */
  readonly isLoopback: boolean
  /**
   * Begins a request to its origin, whatever the path. Nothing has been sent yet. No redirect is followed, no cookie kept,
   * no proxy of the environment used.
   */
  open(method: string, path: string, headers: readonly string[]): ClientRequest
}

/** Bytes of the head of an answer. */
const maxHeaderSize = 65_536

/**
 * Checks where a bridge shall lead.
 * @throws TypeError when it is no http or https URL, a header is none, or headers would go over plain http to another
 *   machine; never shows a value
 */
export function targetAt(url: unknown, headers: unknown, allowInsecure: boolean): Target {
  // The token is typed into the page, which keeps it in memory.
  const own = customHeaders(owner, headers, true)
  const server = serverAt(owner, url, undefined, own.length > 0 && !allowInsecure)
  const { hostname, port, protocol } = server.url
  const isLoopback = isLoopbackHost(hostname)
  const isSecure = protocol === 'https:'
  const agent = isSecure ? new HttpsAgent() : new HttpAgent()
  const request = isSecure ? httpsRequest : httpRequest
  const place = {
    // An IPv6 address has brackets in a URL, and none here.
    hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? undefined : Number(port),
    agent,
    maxHeaderSize,
    insecureHTTPParser: false,
  }
  return {
    url: server.url,
    headers: own,
    takesCredentials: isSecure || allowInsecure || isLoopback,
    isLoopback,
    open: (method, path, lines) => request({ ...place, method, path, headers: lines as string[] }),
  }
}

const owner = 'inspectorBridge'
