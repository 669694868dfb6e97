/** JSON-RPC 2.0 and MCP error codes this server answers with. */
export const rpcCode: Readonly<
  Record<
    | 'parseError'
    | 'invalidRequest'
    | 'invalidParams'
    | 'internalError'
    | 'headerMismatch'
    | 'missingClientCapability',
    number
  >
> = {
  parseError: -32700,
  invalidRequest: -32600,
  invalidParams: -32602,
  internalError: -32603,
  headerMismatch: -32020,
  missingClientCapability: -32021,
}

/** A failure the caller reads as a JSON-RPC error. Its message goes over the wire. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  /** The HTTP status it is answered with, where nothing of an answer has left yet. */
  readonly status: number

  constructor(code: number, message: string, status = 200) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** A failure as it goes over the wire. Without an id when nobody could read one (JSON-RPC 2.0, section 5). */
export function rpcErrorMessage(id: string | number | null, code: number, message: string): object {
  return { jsonrpc: '2.0', id, error: { code, message } }
}
