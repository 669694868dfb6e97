import type { HttpOptions } from '../fetch/authorized-fetch.ts'
import { type ClientTransport, SSETransport, StreamableHttpTransport } from './transports.ts'

/** A transport, and the older one a server may speak instead of it. */
export interface FallbackTransport extends ClientTransport {
  /** What to try when the server does not know the first one. Found out anew for each connection. */
  readonly older: ClientTransport
}

/**
 * The transport to a URL of which nothing else is known: Streamable HTTP, and HTTP with SSE when the server does not
 * know that (MCP transports, "Backwards Compatibility"). The credential is the same on both. One that is refused, and a
 * server that cannot be reached or fails, is never a reason to try the other.
 *
 * @param url the MCP endpoint; https, unless no credential is sent or it is this machine
 * @param owner what errors about the options begin with
 * @throws TypeError when the URL or an option is wrong
 */
export function httpTransport(url: string | URL, options: HttpOptions, owner: string): FallbackTransport {
  const streamable = new StreamableHttpTransport(url, options, owner)
  return {
    negotiation: streamable.negotiation,
    open: (opening) => streamable.open(opening),
    older: new SSETransport(url, options, owner),
  }
}

/** The older transport of one that has it. */
export function olderOf(transport: ClientTransport): ClientTransport | undefined {
  return 'older' in transport ? (transport as FallbackTransport).older : undefined
}

/** What a server of 2024-11-05 answers to a POST it has never heard of. */
const unknownThere: readonly number[] = [400, 404, 405]

/**
 * Whether an answer means that the server does not know Streamable HTTP. One in JSON-RPC does: it comes from a server
 * that read the message, and has another reason.
 */
export function isOlderServer(status: number, body: string | undefined): boolean {
  return unknownThere.includes(status) && !isJsonRpc(body)
}

function isJsonRpc(body: string | undefined): boolean {
  try {
    const answer: unknown = JSON.parse(body ?? '')
    return typeof answer === 'object' && answer !== null && 'jsonrpc' in answer
  } catch {
    return false
  }
}
