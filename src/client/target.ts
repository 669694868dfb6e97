import type { HttpOptions } from './fetch/authorized-fetch.ts'
import { httpTransport } from './transports/fallback-transport.ts'
import { type ClientTransport, StreamableHttpTransport } from './transports/transports.ts'

/**
 * A server of this process: anything with a `fetch` that answers requests, such as an `MCPServer` or a Hono app. The
 * requests are the same as over the network, and so are the checks they meet.
 */
export interface InProcessServer {
  fetch(request: Request): Response | Promise<Response>
}

/** Where an in-process server is thought to be: this machine, so that no rule for the network is in the way. */
const inProcessUrl = 'http://localhost/mcp'

/**
 * The transport to what a client was given.
 * @throws TypeError when it is none of the possibilities, or an option does not go with it
 */
export function transportTo(target: unknown, options: HttpOptions): ClientTransport {
  if (typeof target === 'string' || target instanceof URL) {
    return httpTransport(target, options, 'Client')
  }
  if (isTransport(target)) {
    const [option] = Object.keys(options)
    if (option !== undefined) {
      throw new TypeError(`Client: give the option ${option} to the transport, it does not apply here`)
    }
    return target
  }
  if (!isInProcessServer(target)) {
    throw new TypeError(
      'Client: the target must be a URL, a transport, or a server with a method fetch(request)',
    )
  }
  if (options.fetch !== undefined) {
    throw new TypeError('Client: the option fetch does not apply to a server of this process')
  }
  const fetch = async (url: string | URL, init?: RequestInit): Promise<Response> =>
    target.fetch(new Request(url, init))
  return new StreamableHttpTransport(
    inProcessUrl,
    { serverName: 'in-process server', ...options, fetch },
    'Client',
  )
}

function isTransport(value: unknown): value is ClientTransport {
  return isObject(value) && typeof value.open === 'function' && typeof value.negotiation === 'string'
}

function isInProcessServer(value: unknown): value is InProcessServer {
  return isObject(value) && typeof value.fetch === 'function'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
