import { AuthError, type LogEntry } from '../core/index.ts'
import { admitMessage, refuseBeyondTools } from './admission.ts'
import type { Exchange } from './exchange.ts'
import { stackText } from './failure.ts'
import { paramHeaderMismatch } from './param-headers.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import type { Served } from './served.ts'

/**
 * Decides all that is decided before a request is dispatched, once. What is wrong stands in `exchange.refused`
 * afterwards; nothing may be dispatched then.
 *
 * @param isModern whether headers repeat arguments, which is so since 2026-07-28
 * @returns nothing, or a promise of it when a rule has to be asked
 */
export function admitExchange(
  served: Served,
  exchange: Exchange,
  message: { readonly method: string; readonly params?: unknown },
  isModern: boolean,
): void | Promise<void> {
  if (exchange.isAdmitted) return
  exchange.isAdmitted = true
  try {
    refuseBeyondTools(exchange, message.method, message.params)
    if (isModern) checkParamHeaders(served, exchange, message)
    return admitMessage(served, exchange, message.method, message.params)?.catch((error: unknown) =>
      refuse(served, exchange, error),
    )
  } catch (error) {
    refuse(served, exchange, error)
  }
}

/** A rule that throws lets nobody in, and its text stays here. */
function refuse({ logger }: Served, exchange: Exchange, error: unknown): void {
  const isOwn = error instanceof AuthError || error instanceof RpcError
  exchange.refused = isOwn ? error : new AuthError('server_error')
  if (exchange.refused instanceof AuthError && exchange.refused.code === 'server_error')
    logger(policyEntry(error, exchange))
}

/** What the operator reads of a rule that threw. */
export function policyEntry(error: unknown, { auth }: Pick<Exchange, 'auth'>): LogEntry {
  const details = { error: stackText(error, auth) }
  return { level: 'error', event: 'policy_failed', message: 'a rule threw; the caller was refused', details }
}

function checkParamHeaders(
  { registry }: Served,
  { incoming }: Exchange,
  { method, params }: { readonly method: string; readonly params?: unknown },
): void {
  if (method !== 'tools/call' || !incoming) return
  const { name, arguments: args } = (params ?? {}) as { name?: unknown; arguments?: unknown }
  const declarations = typeof name === 'string' ? registry.tools.get(name)?.paramHeaders : undefined
  if (!declarations || declarations.length === 0) return
  const mismatch = paramHeaderMismatch(declarations, args, incoming.head)
  if (mismatch === undefined) return
  throw new RpcError(rpcCode.headerMismatch, `Bad Request: ${mismatch}`, 400)
}
