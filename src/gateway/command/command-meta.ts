import type { PlainAnswer } from '../../http/refusal.ts'
import { rpcReply } from '../../server/reply.ts'
import { rpcErrorMessage } from '../../server/rpc-error.ts'
import type { RpcRequest } from '../message.ts'
import type { Passage } from '../upstream.ts'
import { isObject, metaOf } from './channel-ids.ts'
import { isModern } from './command-modern.ts'

/** The first revision whose requests are of no session, and say everything about themselves. */
const firstModern = '2026-07-28'
const prefix = 'io.modelcontextprotocol/'

/**
 * Refuses a request of 2026-07-28 that does not say what it has to (MCP 2026-07-28 "Per-Request Metadata"). It has an
 * HTTP status, and so is not left to the program.
 */
export function metaProblem({ incoming }: Passage, message: RpcRequest): PlainAnswer | undefined {
  if (isModern(message)) {
    return isObject(metaOf(message)[`${prefix}clientCapabilities`])
      ? undefined
      : lacking(message, 'clientCapabilities')
  }
  const revision = incoming.header('mcp-protocol-version') ?? ''
  return /^\d{4}-\d\d-\d\d$/.test(revision) && revision >= firstModern
    ? lacking(message, 'protocolVersion')
    : undefined
}

function lacking({ id }: RpcRequest, member: string): PlainAnswer {
  const text = `Invalid params: _meta lacks ${prefix}${member}`
  return rpcReply(rpcErrorMessage(id, -32602, text), 400)
}
