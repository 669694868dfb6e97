import type { Incoming } from '../../server/exchange.ts'
import { decodedHeader } from '../../server/param-headers.ts'
import { type RpcMessage, revisionOf } from '../message.ts'

/** The first revision whose requests say in their headers what they are. */
const firstModern = '2026-07-28'

/** What `Mcp-Name` repeats of the parameters (MCP Streamable HTTP, "Standard Request Headers"; SEP-2663 for tasks). */
const sources: ReadonlyMap<string, 'name' | 'uri' | 'taskId'> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

/** Whether a message names a revision in which every request stands for itself, without a session. */
export function isModern(message: RpcMessage): boolean {
  const revision = revisionOf(message)
  return revision !== undefined && revision >= firstModern
}

/**
 * Whether the headers say what the message says. Whoever stands in between, or behind, may decide by the headers; so what
 * runs must be what they name. Headers of older revisions may be missing, and must not lie either.
 *
 * @returns nothing when they agree, else one sentence about the first that does not
 */
export function headerMismatch(incoming: Incoming, message: RpcMessage): string | undefined {
  const revision = revisionOf(message)
  const isNeeded = message.id !== undefined && revision !== undefined && revision >= firstModern
  const version = incoming.header('mcp-protocol-version')
  if (revision !== undefined && version !== revision && (isNeeded || version !== undefined))
    return problem('MCP-Protocol-Version', version)
  const method = incoming.header('mcp-method')
  if (method !== message.method && (isNeeded || method !== undefined)) return problem('Mcp-Method', method)
  return nameMismatch(incoming.header('mcp-name'), message, isNeeded)
}

function nameMismatch(sent: string | undefined, message: RpcMessage, isNeeded: boolean): string | undefined {
  if (sent === undefined && !isNeeded) return undefined
  const source = message.method === undefined ? undefined : sources.get(message.method)
  const name = source === undefined ? undefined : message.params?.[source]
  if (typeof name !== 'string') return undefined
  return sent !== undefined && decodedHeader(sent) === name ? undefined : problem('Mcp-Name', sent)
}

function problem(header: string, sent: string | undefined): string {
  return sent === undefined ? `the header ${header} is missing` : `the header ${header} and the body disagree`
}
