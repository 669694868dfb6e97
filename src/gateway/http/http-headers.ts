import type { IncomingMessage } from 'node:http'
import type { Incoming } from '../../server/exchange.ts'

/**
 * What the server behind the gateway hears of the headers of a request. A list, and everything else is left out: above all
 * credentials, whatever header they come in, cookies, what proxies say of the caller, and what belongs to one connection
 * (RFC 9110 section 7.6.1). The session and the last event are translated, and not passed on.
 */
const passedOn = [
  'accept',
  'accept-language',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'traceparent',
  'tracestate',
  'baggage',
] as const

/** Arguments that are repeated in headers (MCP Streamable HTTP, "Custom Headers from Tool Parameters"). */
const paramPrefix = 'mcp-param-'

/** Characters from which on a credential is found inside of another text; a shorter one may be a part of any. */
const leastPart = 12

/** What does not go on. */
export interface Withheld {
  /** The token of the caller, in whatever header it came. */
  readonly credential: string
  /** Headers the operator sends, in lower case: a caller adds nothing to them. */
  readonly names: ReadonlySet<string>
}

/** Adds to names and values those that are passed on. */
export function passHeaders(headers: string[], incoming: Incoming, withheld: Withheld): void {
  for (const name of passedOn) pass(headers, incoming, name, withheld)
  // Only requests that say what they are have such arguments.
  if (incoming.header('mcp-method') === undefined) return
  for (const name of incoming.names())
    if (name.startsWith(paramPrefix)) pass(headers, incoming, name, withheld)
}

function pass(headers: string[], incoming: Incoming, name: string, { credential, names }: Withheld): void {
  const value = incoming.header(name)
  if (value === undefined || value === credential || names.has(name)) return
  if (credential.length < leastPart || !value.includes(credential)) headers.push(name, value)
}

/** The value of a header that names a thing (MCP Streamable HTTP, "Value Encoding"). */
export function nameHeader(name: string): string {
  const isPlain = /^[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?$/.test(name) && !name.startsWith('=?base64?')
  return isPlain ? name : `=?base64?${Buffer.from(name).toString('base64')}?=`
}

/** The media type of an answer, in lower case and without its parameters (RFC 9110 section 8.3.1). */
export function mediaType({ headers }: IncomingMessage): string | undefined {
  const type = headers['content-type']
  if (type === undefined || type === 'application/json') return type
  return type.split(';', 1)[0]!.trim().toLowerCase()
}

/** Seconds, as far as an answer says them; a date is none. */
export function retryAfterOf({ headers }: IncomingMessage): number | undefined {
  const value = headers['retry-after']
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) : undefined
}
