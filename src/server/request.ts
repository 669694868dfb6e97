import type { RequestStateCodec, Server, ServerContext } from '@modelcontextprotocol/server'
import { AuthError, ToolError } from '../core/index.ts'
import { toAuthInfo } from '../http/auth-info.ts'
import { refuseBeyondTools } from './admission.ts'
import { policyEntry } from './admit-exchange.ts'
import { CallContext, type ProtocolContext } from './call-context.ts'
import { digestOfCall } from './digest.ts'
import type { Exchange } from './exchange.ts'
import { genericFailure, isRefusal, stackText } from './failure.ts'
import { type Ask, type Form, type InputChannel, type InputRequest, inputChannel } from './input.ts'
import { wholeContext } from './lane-server.ts'
import { surrounded } from './middleware.ts'
import { type RoundState, type Rounds, rounds, Suspension } from './rounds.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import { isStandardSchema, jsonSchemaOf } from './schema.ts'
import type { Sdk, Seat } from './sdk-server.ts'
import type { Served } from './served.ts'
import type { JsonObject, LogLevel, StandardSchema } from './types.ts'

/** Runs what answers one request, and turns what it throws into what the protocol carries. */
export type Answer = <Result>(
  params: unknown,
  ctx: ServerContext,
  run: (call: CallContext, exchange: Exchange) => unknown,
) => Promise<Result>

/** Milliseconds a client of 2025-11-25 may take to answer: there is a person behind it. */
const answerMs = 3_600_000

/** Makes the {@link Answer} of one SDK server. */
export function answerer(
  sdk: Sdk,
  served: Served,
  seat: Seat,
  server: Server,
  codec: RequestStateCodec<RoundState>,
): Answer {
  const { inFlight, middleware } = served
  const forms = formReader(sdk)

  async function answer(
    params: unknown,
    ctx: ServerContext,
    run: (call: CallContext, exchange: Exchange) => unknown,
  ): Promise<unknown> {
    const exchange = seat.exchangeOf(ctx)
    const state = ctx.mcpReq.requestState<RoundState>()
    if (state !== undefined) await checkState(sdk, state, params)
    const protocol = new SdkContext(seat, server, ctx, exchange, (own, principal) =>
      input(own, state, principal),
    )
    const call = new CallContext(exchange.auth, protocol)
    inFlight.add(call)
    const answered = () => orAsked(protocol, async () => run(call, exchange), ask)
    const ask = (asked: Rounds) => {
      call.abort(new Suspension('the client is asked'))
      return ended(codec, asked, params, ctx)
    }
    try {
      // Over stdio nobody has asked before.
      refuseBeyondTools(exchange, ctx.mcpReq.method, params)
      if (middleware.length === 0) {
        const result = await run(call, exchange)
        return protocol.rounds?.isSuspended === true ? ask(protocol.rounds) : result
      }
      const request = {
        method: ctx.mcpReq.method,
        params: (params ?? {}) as JsonObject,
        auth: exchange.auth,
        signal: call.signal,
      }
      return await surrounded(sdk, middleware, request, answered)
    } catch (error) {
      if (protocol.rounds?.isSuspended === true && middleware.length === 0) return ask(protocol.rounds)
      throw asProtocolError(sdk, served, exchange, error)
    } finally {
      inFlight.delete(call)
    }
  }

  /** How the client is asked: in a round of its own, or while the call waits. */
  function input(
    protocol: SdkContext,
    state: RoundState | undefined,
    principal: string | undefined,
  ): InputChannel {
    const { mcpReq } = protocol.ctx
    if (mcpReq.envelope === undefined) return inputChannel(askNow(server, protocol.ctx), forms)
    protocol.rounds ??= rounds(state, mcpReq.inputResponses)
    return inputChannel(protocol.rounds.ask(principal), forms, protocol.rounds.suspension)
  }

  // The SDK checks each result against the schema of its method.
  return (params, ctx, run) => answer(params, ctx, run) as Promise<never>
}

/** The answer of a call that ends with questions. */
async function ended(
  codec: RequestStateCodec<RoundState>,
  asked: Rounds,
  params: unknown,
  ctx: ServerContext,
): Promise<unknown> {
  const { inputRequests, answers } = asked.pending()
  const requestState = await codec.mint({ call: await digestOfCall(params), answers }, ctx)
  return { resultType: 'input_required', inputRequests, requestState }
}

/** Ends a call with its questions, if it has any, whatever became of its handler: to catch that is not to prevent it. */
async function orAsked(
  protocol: { readonly rounds: Rounds | undefined },
  run: () => Promise<unknown>,
  ask: (asked: Rounds) => Promise<unknown>,
): Promise<unknown> {
  try {
    const result = await run()
    if (protocol.rounds?.isSuspended !== true) return result
  } catch (error) {
    if (protocol.rounds?.isSuspended !== true) throw error
  }
  return ask(protocol.rounds)
}

/** Nobody could say whether the caller may: that is neither a yes nor a no (as in a list, where each rule is asked). */
function isFault(error: unknown): error is AuthError {
  if (!(error instanceof AuthError) || error.status !== undefined) return false
  return error.code === 'verifier_unavailable' || error.code === 'server_error'
}

/** A state was signed for one call: with other arguments it is as good as forged. */
async function checkState(sdk: Sdk, state: RoundState, params: unknown): Promise<void> {
  if (state.call === (await digestOfCall(params))) return
  const reason = { reason: 'invalid_request_state' }
  throw new sdk.ProtocolError(rpcCode.invalidParams, 'Invalid or expired requestState', reason)
}

function asProtocolError(sdk: Sdk, { logger }: Served, exchange: Exchange, error: unknown): Error {
  if (error instanceof sdk.ProtocolError) return error
  if (error instanceof RpcError) return new sdk.ProtocolError(error.code, error.message)
  if (error instanceof ToolError) return new sdk.ProtocolError(rpcCode.invalidRequest, error.message)
  if (isFault(error)) {
    exchange.refused ??= error
    if (error.code === 'server_error') logger(policyEntry(error, exchange))
    return new sdk.ProtocolError(rpcCode.internalError, genericFailure)
  }
  if (isRefusal(error)) {
    exchange.refused ??= error
    const needs = error.scopes ? `; this needs ${error.scopes.join(' ')}` : ''
    return new sdk.ProtocolError(rpcCode.invalidRequest, `${error.message}${needs}`)
  }
  const details = { error: stackText(error, exchange.auth) }
  logger({ level: 'error', event: 'request_failed', message: 'a request failed', details })
  return new sdk.ProtocolError(rpcCode.internalError, genericFailure)
}

/** Makes how the client is asked; on behalf of a principal other than that of the call, if one is named. */
type MakeChannel = (own: SdkContext, principal: string | undefined) => InputChannel

/** What the SDK knows of one request. A class for its getters: most calls need little of it. */
class SdkContext implements ProtocolContext {
  readonly ctx: ServerContext
  readonly requestId: string | number
  rounds: Rounds | undefined
  readonly #server: Server
  readonly #exchange: Exchange
  readonly #channel: MakeChannel
  #input: InputChannel | undefined

  constructor(seat: Seat, server: Server, ctx: ServerContext, exchange: Exchange, channel: MakeChannel) {
    this.#server = server
    this.ctx = ctx
    this.requestId = seat.requestIdOf(ctx)
    this.#exchange = exchange
    this.#channel = channel
  }

  notify(notification: { method: string; params: Record<string, unknown> }): Promise<void> {
    return this.ctx.mcpReq.notify(notification)
  }

  log(level: LogLevel, data: unknown): Promise<void> {
    return this.ctx.mcpReq.log(level, data)
  }

  get signal(): AbortSignal {
    return this.ctx.mcpReq.signal
  }

  get progressToken(): string | number | undefined {
    return this.ctx.mcpReq._meta?.progressToken
  }

  get input(): InputChannel {
    this.#input ??= this.#channel(this, undefined)
    return this.#input
  }

  inputFor(principal: string): InputChannel {
    return this.#channel(this, principal)
  }

  get clientCapabilities(): JsonObject {
    const envelope: JsonObject | undefined = this.ctx.mcpReq.envelope
    const known = envelope
      ? envelope['io.modelcontextprotocol/clientCapabilities']
      : this.#server.getClientCapabilities()
    return (known as JsonObject | undefined) ?? {}
  }

  /** With the id of the caller, and with who calls: the SDK server itself may serve many. */
  get mcp(): ServerContext {
    const { auth, incoming } = this.#exchange
    const whole = wholeContext(this.ctx)
    const http = {
      ...whole.http,
      ...(incoming && { req: incoming.bare() }),
      ...(auth && { authInfo: toAuthInfo(auth) }),
    }
    const mcpReq = { ...whole.mcpReq, id: this.requestId }
    return { ...whole, mcpReq, ...((incoming ?? whole.http) && { http }) }
  }
}

/** What a client has to have said that it can do (MCP "Capabilities"). */
const capabilityFor = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
} as const

/** Asks a client of 2025-11-25, on the stream of the call. */
function askNow(server: Server, { mcpReq }: ServerContext): Ask {
  return async ({ method, params }: InputRequest) => {
    const lacking = lackingIn(server.getClientCapabilities() ?? {}, { method, ...(params && { params }) })
    if (lacking !== undefined)
      throw new ToolError(`This needs a client with the capability "${lacking}", in a session`)
    try {
      const elicitationId = params?.mode === 'url' ? { elicitationId: crypto.randomUUID() } : {}
      const sent = { method, ...(params && { params: { ...params, ...elicitationId } }) }
      return await mcpReq.send(sent as never, { timeout: answerMs, signal: mcpReq.signal })
    } catch (error) {
      throw new ToolError(`The client did not answer ${method}`, { cause: error })
    }
  }
}

/** A client that is asked for what it cannot do may never answer. */
function lackingIn(known: JsonObject, { method, params }: InputRequest): string | undefined {
  const capability = capabilityFor[method]
  const details = known[capability] as JsonObject | undefined
  if (details === undefined) return capability
  // Who says nothing more of elicitation can show forms, as it was before there were pages.
  const showsForms = 'form' in details || !('url' in details)
  if (params?.mode === 'form' && !showsForms) return 'elicitation.form'
  if (params?.mode === 'url' && !('url' in details)) return 'elicitation.url'
  const usesTools = params?.tools !== undefined || params?.toolChoice !== undefined
  return capability === 'sampling' && usesTools && !('tools' in details) ? 'sampling.tools' : undefined
}

/** Forms are given as a schema that validates, or as the JSON that describes one. */
function formReader(sdk: Sdk): (schema: StandardSchema | JsonObject) => Form {
  const known = new WeakMap<object, Form>()
  return (schema) => {
    const form = known.get(schema) ?? readForm(sdk, schema)
    known.set(schema, form)
    return form
  }
}

function readForm(sdk: Sdk, schema: StandardSchema | JsonObject): Form {
  if (isStandardSchema(schema)) {
    const { $schema, ...json } = jsonSchemaOf('elicit: schema', schema, 'input')
    return { json, schema }
  }
  return { json: schema, schema: sdk.fromJsonSchema(schema) as StandardSchema }
}
