import { type Exchanged, exchange, type Outgoing, tell, type Wire } from './exchange.ts'
import {
  clientCapabilities,
  clientInfo,
  isObject,
  type JsonObject,
  legacyRevision,
  legacyRevisions,
  listOf,
  memberOf,
  metaKeys,
  modernRevision,
  textOf,
} from './message.ts'
import { Failed } from './problem.ts'

/** What a server told of itself when the page met it. */
export interface ServerFacts {
  readonly revision: string
  readonly isModern: boolean
  readonly name: string
  readonly version: string
  readonly instructions: string | undefined
  readonly capabilities: JsonObject
  /** Of 2025-11-25 and older; not all servers have sessions. */
  readonly session: string | undefined
}

/** Gives each request its number. */
export type Numbers = () => number

/**
 * Finds out which revision a server speaks: the newest first, then the one before. A server is asked in the old way only
 * where its answer says that it does not know the new one (MCP 2026-07-28 Streamable HTTP, "Backward Compatibility");
 * never because it wants another credential, has too much to do, or is broken.
 *
 * @throws Failed, or what `fetch` throws
 */
export async function meet(wire: Wire, numbers: Numbers, signal?: AbortSignal): Promise<ServerFacts> {
  const found = await discover(wire, numbers, signal)
  return found ?? initialize(wire, numbers, signal)
}

/** Errors only a server of the new revision has: a header that disagrees, a capability or a revision it wants. */
const modernErrors = new Set([-32020, -32021, -32022])

async function discover(
  wire: Wire,
  numbers: Numbers,
  signal?: AbortSignal,
): Promise<ServerFacts | undefined> {
  let answer: Exchanged
  try {
    answer = await exchange(wire, modernMessage(numbers(), 'server/discover', {}, {}, signal))
  } catch (error) {
    if (isUnknownWay(error)) return undefined
    throw error
  }
  const { outcome } = answer
  if ('error' in outcome) {
    const { code } = outcome.error
    if (
      answer.status >= 500 ||
      answer.status === 429 ||
      (modernErrors.has(code) && !isOlderOnly(outcome.error.data))
    )
      throw new Failed({ kind: 'rpc', ...outcome.error })
    return undefined
  }
  const { result } = outcome
  const capabilities = memberOf(result, 'capabilities')
  if (!listOf(result, 'supportedVersions').includes(modernRevision) || !isObject(capabilities))
    return undefined
  return facts(result, modernRevision, undefined)
}

/** Whether the answer is that of a server which has not heard of the new way. */
function isUnknownWay(error: unknown): boolean {
  if (!(error instanceof Failed) || error.problem.kind !== 'http') return false
  const { status } = error.problem
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

/** Whether it names the revisions it speaks, and they are all older. */
function isOlderOnly(data: unknown): boolean {
  const supported = listOf(data, 'supported')
  return (
    supported.some((revision) => legacyRevisions.includes(revision as string)) &&
    !supported.includes(modernRevision)
  )
}

async function initialize(wire: Wire, numbers: Numbers, signal?: AbortSignal): Promise<ServerFacts> {
  const params = { protocolVersion: legacyRevision, capabilities: clientCapabilities, clientInfo }
  const message = { jsonrpc: '2.0', id: numbers(), method: 'initialize', params }
  const { outcome, headers } = await exchange(wire, { message, headers: {}, ...(signal && { signal }) })
  if ('error' in outcome) throw new Failed({ kind: 'rpc', ...outcome.error })
  const revision = textOf(outcome.result, 'protocolVersion') ?? ''
  if (!legacyRevisions.includes(revision)) {
    const said =
      revision === '' ? 'It does not name the revision it speaks.' : `It speaks ${revision.slice(0, 40)}.`
    throw new Failed({
      kind: 'broken',
      what: `${said} This page speaks ${[modernRevision, ...legacyRevisions].join(', ')}.`,
    })
  }
  const known = facts(outcome.result, revision, headers.get('mcp-session-id') ?? undefined)
  const ready = { jsonrpc: '2.0', method: 'notifications/initialized' }
  await tell(wire, { message: ready, headers: legacyHeaders(known), ...(signal && { signal }) })
  return known
}

function facts(result: JsonObject, revision: string, session: string | undefined): ServerFacts {
  const info =
    memberOf(result, 'serverInfo') ??
    memberOf(memberOf(result, '_meta'), 'io.modelcontextprotocol/serverInfo')
  const capabilities = memberOf(result, 'capabilities')
  return {
    revision,
    isModern: revision === modernRevision,
    name: textOf(info, 'title') ?? textOf(info, 'name') ?? '',
    version: textOf(info, 'version') ?? '',
    instructions: textOf(result, 'instructions'),
    capabilities: isObject(capabilities) ? capabilities : {},
    session,
  }
}

/** What every message of the older revisions carries after `initialize`. */
export function legacyHeaders({ revision, session }: ServerFacts): Record<string, string> {
  return { 'mcp-protocol-version': revision, ...(session !== undefined && { 'mcp-session-id': session }) }
}

/** Where a request names what it is about: `Mcp-Name` repeats it. */
const named: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
])

/** A request of 2026-07-28: it says who asks, and its headers say what its body says. */
export function modernMessage(
  id: number,
  method: string,
  params: JsonObject,
  headers: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Outgoing {
  const _meta = {
    ...(memberOf(params, '_meta') as JsonObject | undefined),
    [metaKeys.revision]: modernRevision,
    [metaKeys.client]: clientInfo,
    [metaKeys.capabilities]: clientCapabilities,
  }
  const name = textOf(params, named.get(method) ?? '')
  return {
    message: { jsonrpc: '2.0', id, method, params: { ...params, _meta } },
    headers: {
      ...headers,
      'mcp-protocol-version': modernRevision,
      'mcp-method': method,
      ...(name !== undefined && { 'mcp-name': headerValue(name) }),
    },
    ...(signal !== undefined && { signal }),
  }
}

/** Printable ASCII without blanks at its ends, and not in the shape of what is wrapped. */
const plainValue = /^(?!=\?base64\?.*\?=$)[\x21-\x7E](?:[\t\x20-\x7E]*[\x21-\x7E])?$/

/** Text that cannot stand in a header goes as Base64 (MCP Streamable HTTP, "Value Encoding"). */
export function headerValue(text: string): string {
  if (plainValue.test(text)) return text
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte))
  return `=?base64?${btoa(bytes.join(''))}?=`
}
