import type { Outcome } from './answering.ts'
import { rpcReply } from './reply.ts'
import { rpcErrorMessage } from './rpc-error.ts'

/** A JSON-RPC error as the outcome of a request. */
export function rpcOutcome(
  status: number,
  id: string | number | null,
  code: number,
  message: string,
): Outcome {
  return { kind: 'reply', reply: rpcReply(rpcErrorMessage(id, code, message), status) }
}

/** The outcome of a message that needs no answer (MCP Streamable HTTP, "Sending Messages"). */
export const accepted: Outcome = Object.freeze({
  kind: 'reply',
  reply: { status: 202, headers: {}, body: '' },
})
