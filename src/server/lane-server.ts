import type {
  BaseContext,
  JSONRPCRequest,
  ProtocolError,
  RequestMetaEnvelope,
  Result,
  Server,
  ServerContext,
} from '@modelcontextprotocol/server'
import type { RpcAnswer, RpcRequest } from './multiplexer.ts'
import { rpcCode } from './rpc-error.ts'
import type { Sdk } from './sdk-server.ts'
import type { JsonObject } from './types.ts'

/** A request whose handler runs. */
export interface LaneCall {
  /** The answer; `undefined` when the request was given up. Rejects when the result cannot be written. */
  readonly answer: Promise<RpcAnswer | undefined>
  /** Aborts the handler's signal; there is no answer then. */
  cancel(reason: string): void
}

/** An SDK server that hands a regular request to its handler without the detour over a transport. */
export interface LaneServer extends Server {
  /**
   * Runs the handler of a request that was found to be regular. It is the same handler, with the same checks around it,
   * and its result goes through the same codec; what is left out is to find out again what kind of message it is.
   *
   * @param id under which its messages are told from all others
   * @returns `undefined` when it has none, or one that needs the whole way
   */
  run(request: RpcRequest, id: number): LaneCall | undefined
}

/** The class of {@link LaneServer}s. It uses what the SDK's class offers to those that extend it. */
export function laneServerClass(sdk: Sdk): new (...args: ConstructorParameters<Sdk['Server']>) => LaneServer {
  return class extends sdk.Server implements LaneServer {
    run(request: RpcRequest, id: number): LaneCall | undefined {
      const handler = this._getRequestHandler(request.method)
      // What was carried over from another round is verified and unpacked on the whole way.
      if (!handler || isLaterRound(request.params)) return undefined
      const { message, envelope } = lifted(request, id)
      const context = new LaneContext(this, message, envelope, (ctx) => this.buildContext(ctx))
      return {
        answer: this.#answered(handler(message, context), message, context),
        cancel: (reason) => context.mcpReq.abort(reason),
      }
    }

    async #answered(
      running: Promise<Result>,
      { id, method }: JSONRPCRequest,
      { mcpReq }: LaneContext,
    ): Promise<RpcAnswer | undefined> {
      const codec = this._wireCodec()
      let result: Result
      try {
        result = await running
      } catch (error) {
        return mcpReq.isAborted ? undefined : { jsonrpc: '2.0', id, error: this.#told(error) }
      }
      if (mcpReq.isAborted) return undefined
      // What the codec cannot write is answered by whoever waits for it.
      return { result: codec.encodeResult(method, result, this._outboundServerInfo()), jsonrpc: '2.0', id }
    }

    /** As the SDK tells an error. What handlers throw was made into one for the caller before. */
    #told(error: unknown): NonNullable<RpcAnswer['error']> {
      const { code, message = 'Internal error', data } = (error ?? {}) as Partial<ProtocolError>
      const known = Number.isSafeInteger(code) ? Number(code) : rpcCode.internalError
      const told = { code: this._wireCodec().encodeErrorCode(known), message }
      return data === undefined ? told : { ...told, data }
    }
  }
}

/** The context of the SDK, whichever way a request has come. */
export function wholeContext(ctx: ServerContext): ServerContext {
  return ctx instanceof LaneContext ? ctx.whole : ctx
}

function isLaterRound(params: JsonObject | undefined): boolean {
  return params !== undefined && ('requestState' in params || 'inputResponses' in params)
}

/** What a client says of itself with every request (MCP 2026-07-28, "Request Metadata"): handlers read it elsewhere. */
const envelopeKeys = [
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/clientInfo',
  'io.modelcontextprotocol/clientCapabilities',
  'io.modelcontextprotocol/logLevel',
]

/** The request as handlers see it, and what is taken out of it. */
function lifted(
  { method, params }: RpcRequest,
  id: number,
): { message: JSONRPCRequest; envelope: Partial<RequestMetaEnvelope> | undefined } {
  const meta = params?._meta as JsonObject | undefined
  if (!params || !meta || !(envelopeKeys[0]! in meta))
    return { message: { jsonrpc: '2.0', id, method, ...(params && { params }) }, envelope: undefined }
  const envelope: Record<string, unknown> = {}
  const rest: Record<string, unknown> = {}
  for (const name of Object.keys(meta)) {
    const target = envelopeKeys.includes(name) ? envelope : rest
    target[name] = meta[name]
  }
  const { _meta, ...others } = params
  const kept = Object.keys(rest).length > 0 ? { ...others, _meta: rest } : others
  return { message: { jsonrpc: '2.0', id, method, params: kept }, envelope }
}

/** Makes the SDK's own context of its base. */
type Build = (base: BaseContext) => ServerContext

/**
 * What the SDK tells a handler of its request. Most handlers ask for little of it; what they ask for is made then, by the
 * SDK.
 */
class LaneContext implements ServerContext {
  readonly mcpReq: LaneRequest

  constructor(
    server: Server,
    message: JSONRPCRequest,
    envelope: Partial<RequestMetaEnvelope> | undefined,
    build: Build,
  ) {
    this.mcpReq = new LaneRequest(server, message, envelope, build)
  }

  get whole(): ServerContext {
    return this.mcpReq.whole
  }
}

type Request = ServerContext['mcpReq']

const noState: Request['requestState'] = () => undefined as never

class LaneRequest implements Request {
  readonly id: string | number
  readonly method: string
  declare readonly envelope?: Partial<RequestMetaEnvelope>
  declare readonly _meta?: NonNullable<Request['_meta']>
  readonly requestState = noState
  isAborted = false
  readonly #server: Server
  readonly #build: Build
  #controller: AbortController | undefined
  #whole: ServerContext | undefined

  constructor(
    server: Server,
    message: JSONRPCRequest,
    envelope: Partial<RequestMetaEnvelope> | undefined,
    build: Build,
  ) {
    this.id = message.id
    this.method = message.method
    if (envelope) this.envelope = envelope
    if (message.params?._meta) this._meta = message.params._meta
    this.#server = server
    this.#build = build
  }

  abort(reason: string): void {
    this.isAborted = true
    this.#controller?.abort(reason)
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.isAborted) this.#controller.abort()
    }
    return this.#controller.signal
  }

  get notify(): Request['notify'] {
    return (notification) => this.#server.notification(notification, { relatedRequestId: this.id })
  }

  get send(): Request['send'] {
    return this.whole.mcpReq.send
  }

  get log(): Request['log'] {
    return this.whole.mcpReq.log
  }

  get elicitInput(): Request['elicitInput'] {
    return this.whole.mcpReq.elicitInput
  }

  get requestSampling(): Request['requestSampling'] {
    return this.whole.mcpReq.requestSampling
  }

  get whole(): ServerContext {
    const { id, method, _meta, envelope, requestState, signal, notify } = this
    this.#whole ??= this.#build({
      mcpReq: {
        id,
        method,
        ...(_meta && { _meta }),
        ...(envelope && { envelope }),
        requestState,
        signal,
        notify,
        send: neverSent,
      },
    })
    return this.#whole
  }
}

/** A server that many share has no one client to ask. */
const neverSent: Request['send'] = () =>
  Promise.reject(new Error('a client without a session cannot be asked'))
