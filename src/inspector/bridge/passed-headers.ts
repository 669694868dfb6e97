import type { IncomingMessage } from 'node:http'
import { shieldHeaders } from './local-answer.ts'
import type { Target } from './target.ts'

/**
 * Of a request of the page. A list, and everything else is left out: the session of the page above all, its cookies, what
 * tells of this machine, and what belongs to one connection (RFC 9110 section 7.6.1).
 */
const passedOn = new Set(['accept', 'content-type', 'authorization', 'last-event-id'])
/** The protocol's own, arguments of tools among them. */
const protocolHeader = /^mcp-[!#$%&'*+\-.^_`|~0-9a-z]+$/

/** Names and values for the server: those of the page that are passed on, those of the person, those of HTTP. */
export function requestHeaders(req: IncomingMessage, { url, headers }: Target): string[] {
  const own = new Set(headers.map(([name]) => name.toLowerCase()))
  const lines = ['host', url.host, 'user-agent', 'mcp-bearer inspect', 'accept-encoding', 'identity']
  for (const [name, value] of linesOf(req)) {
    if ((passedOn.has(name) || protocolHeader.test(name)) && !own.has(name)) lines.push(name, value)
  }
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers
  if (length !== undefined) lines.push('content-length', length)
  else if (coding !== undefined) lines.push('transfer-encoding', 'chunked')
  return [...lines, ...headers.flat()]
}

/** Of one connection (RFC 9110 section 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * What a browser would obey, and not only show, were it an answer of the page's own origin: cookies and what clears them,
 * who may read the answer, what else is to be loaded or told, and to whom.
 */
const obeyed =
  /^(?:set-cookie2?|clear-site-data|access-control-.*|alt-svc|strict-transport-security|public-key-pins.*|link|refresh|report-to|reporting-endpoints|nel|service-worker-.*|sourcemap|x-sourcemap|timing-allow-origin|origin-agent-cluster|content-security-policy.*|cross-origin-.*|permissions-policy|feature-policy|document-policy|speculation-rules|accept-ch|critical-ch|x-frame-options|x-xss-protection|x-dns-prefetch-control|x-inspector-.*|x-content-security-policy.*|x-webkit-csp.*|integrity-policy.*|require-document-policy|expect-ct|delegate-ch|no-vary-search|use-as-dictionary|set-login|sec-.*|secure-session-.*|attribution-reporting-.*|ad-auction-.*|shared-storage-.*|observe-browsing-topics|activate-storage-access)$/

/** The name of the header that says which headers of the server are left out. */
const droppedHeader = 'x-inspector-dropped'
/** The name of the header with the status of the server, where the answer cannot have it. */
const statusHeader = 'x-inspector-status'

/** The head of an answer as the page gets it. */
export interface PassedHead {
  readonly status: number
  /** Names and values in turn. */
  readonly headers: readonly string[]
}

/**
 * The head of an answer of the server.
 *
 * A page is never shown a redirect: the browser follows it, or hides it. And 407 is for proxies, the browser asks for a
 * password or gives up. Of a 205 it reads no body, whatever the length (RFC 9110 section 15.3.6): one that comes all the
 * same would be the answer to its next request. These answers have the status 502, which is no success for anybody who knows nothing of
 * `x-inspector-status`, where the status of the server stands.
 */
export function answerHead(answer: IncomingMessage): PassedHead {
  const { statusCode: status = 502 } = answer
  const isHidden = (status >= 300 && status < 400) || status === 407 || status === 205
  const ofConnection = new Set(
    (answer.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()),
  )
  const headers: string[] = []
  const dropped = new Set<string>()
  for (const [name, value] of linesOf(answer)) {
    if (hopByHop.has(name) || ofConnection.has(name)) continue
    // A 304 has the length of what it does not have (RFC 9110 section 8.6).
    if (isHidden && name === 'content-length') continue
    if (obeyed.test(name) || Object.hasOwn(shieldHeaders, name)) dropped.add(name)
    else headers.push(name, value)
  }
  if (dropped.size > 0) headers.push(droppedHeader, [...dropped].join(', '))
  if (isHidden) headers.push(statusHeader, String(status))
  // Nothing else comes over a connection that has carried bytes of somebody else: where a browser takes their end to be
  // elsewhere, the rest would be an answer of the page's own origin (RFC 9112 section 11.1).
  headers.push('connection', 'close')
  return { status: isHidden ? 502 : status, headers: [...headers, ...Object.entries(shieldHeaders).flat()] }
}

/** Every line as it came, its name in lower case. */
function* linesOf({ rawHeaders: raw }: IncomingMessage): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at < raw.length; at += 2) yield [raw[at]!.toLowerCase(), raw[at + 1]!]
}
