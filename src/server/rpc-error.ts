/** JSON-RPC 2.0 and MCP error codes this server answers with. */
export const rpcCode: Readonly<
  Record<'parseError' | 'invalidRequest' | 'invalidParams' | 'internalError', number>
> = {
  parseError: -32700,
  invalidRequest: -32600,
  invalidParams: -32602,
  internalError: -32603,
}

/** A failure the caller reads as a JSON-RPC error. Its message goes over the wire. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
