import type {
  ClientCapabilities,
  CreateMessageRequestParams,
  CreateMessageResult,
  CreateMessageResultWithTools,
  ElicitRequestFormParams,
  ElicitRequestURLParams,
  ElicitResult,
  LoggingMessageNotificationParams,
  Root,
  Client as SdkClient,
} from '@modelcontextprotocol/client'
import { ToolError } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'

/** What a handler knows of the question besides the question. */
export interface QuestionContext {
  /** Aborted when nobody waits for the answer any more: the call was given up, or the connection is closed. */
  readonly signal: AbortSignal
}

/**
 * What a server may ask of a client, or tell it, in the middle of a call. A handler that is there is declared to the
 * server as a capability; the others are refused. They are the same in both protocol revisions: requests of the server
 * in 2025-11-25 (MCP "Elicitation", "Sampling", "Roots"), rounds of the call in 2026-07-28 ("Multi Round-Trip
 * Requests").
 *
 * A server is not to be trusted more than a web page: show who asks, let the person decide, and never put a credential
 * into an answer. What a handler throws stays here, but for the message of a `ToolError`: the server reads that the
 * client failed to answer.
 *
 * @example
 * ```ts
 * import { Client } from 'mcp-bearer/client'
 *
 * const client = new Client('https://mcp.example.com/mcp', {
 *   auth: 'sk-abc123',
 *   handlers: {
 *     elicit: async ({ message }) =>
 *       message.startsWith('Delete') ? { action: 'decline' } : { action: 'accept', content: { sure: true } },
 *     roots: [{ uri: 'file:///home/me/project', name: 'project' }],
 *     log: ({ level, data }) => console.error(level, data),
 *   },
 * })
 * ```
 */
export interface ClientHandlers {
  /**
   * Fills in a form. Members that the schema has a default for, and the answer leaves out, are filled in
   * (MCP "Elicitation", form mode).
   */
  readonly elicit?:
    | ((request: ElicitRequestFormParams, context: QuestionContext) => ElicitResult | Promise<ElicitResult>)
    | undefined
  /**
   * Sends the person to a page; `accept` says they agreed to go. Show the whole URL, open it in a browser that has
   * nothing of this program, and never fetch it (MCP "Elicitation", URL mode). Only http and https URLs arrive here.
   */
  readonly elicitUrl?:
    | ((request: ElicitRequestURLParams, context: QuestionContext) => ElicitResult | Promise<ElicitResult>)
    | undefined
  /** Told the `elicitationId` of a page whose work is done. Servers of 2026-07-28 do not tell. */
  readonly elicitUrlDone?: ((elicitationId: string) => void) | undefined
  /** Asks the model behind this client (MCP "Sampling"). */
  readonly sample?:
    | ((
        request: CreateMessageRequestParams,
        context: QuestionContext,
      ) => CreateMessageResult | Promise<CreateMessageResult>)
    | undefined
  /** The same for requests that bring tools; for the others too, if there is no `sample`. */
  readonly sampleWithTools?:
    | ((
        request: CreateMessageRequestParams,
        context: QuestionContext,
      ) => CreateMessageResultWithTools | Promise<CreateMessageResultWithTools>)
    | undefined
  /** The folders the client works in, or what tells them (MCP "Roots"); see {@link Client.rootsChanged}. */
  readonly roots?: readonly Root[] | (() => readonly Root[] | Promise<readonly Root[]>) | undefined
  /**
   * Takes the log lines of the server (MCP "Logging"), from the level `info` on unless {@link Client.setLoggingLevel}
   * says otherwise. Untrusted text. What it throws is dropped.
   */
  readonly log?: ((entry: LoggingMessageNotificationParams) => void) | undefined
}

const known = ['elicit', 'elicitUrl', 'elicitUrlDone', 'sample', 'sampleWithTools', 'roots', 'log']

/**
 * Checks and copies the handlers.
 * @throws TypeError naming the handler that is wrong
 */
export function readHandlers(owner: string, handlers: unknown): ClientHandlers {
  if (handlers === undefined) return {}
  checkOptions(`${owner}: handlers`, handlers, known)
  for (const [name, handler] of Object.entries(handlers as ClientHandlers)) {
    const isList = name === 'roots' && Array.isArray(handler)
    if (handler !== undefined && typeof handler !== 'function' && !isList) {
      throw new TypeError(
        `${owner}: handlers.${name} must be a function${name === 'roots' ? ', or a list' : ''}`,
      )
    }
  }
  return { ...(handlers as ClientHandlers) }
}

/** What the handlers amount to in the words of the handshake (MCP "Capability Negotiation"). */
export function capabilitiesOf(handlers: ClientHandlers): ClientCapabilities {
  const { elicit, elicitUrl, sample, sampleWithTools, roots } = handlers
  const form = elicit && { form: { applyDefaults: true } }
  return {
    ...((elicit || elicitUrl) && { elicitation: { ...form, ...(elicitUrl && { url: {} }) } }),
    ...((sample || sampleWithTools) && { sampling: sampleWithTools ? { tools: {} } : {} }),
    ...(roots && { roots: { listChanged: true } }),
  }
}

/** Lets the handlers answer what arrives on one connection. */
export function answerWith(sdk: SdkClient, handlers: ClientHandlers): void {
  const { elicit, elicitUrl, elicitUrlDone, sample, sampleWithTools, roots, log } = handlers
  const answered = answering()
  if (elicit || elicitUrl) {
    sdk.setRequestHandler('elicitation/create', ({ params }, { mcpReq: { signal } }) =>
      params.mode === 'url'
        ? answered(elicitUrl, onlyWeb(params), signal)
        : answered(elicit, params as ElicitRequestFormParams, signal),
    )
  }
  if (sample || sampleWithTools) {
    sdk.setRequestHandler('sampling/createMessage', ({ params }, { mcpReq: { signal } }) => {
      const hasTools = params.tools !== undefined || params.toolChoice !== undefined
      return answered<CreateMessageRequestParams, CreateMessageResult | CreateMessageResultWithTools>(
        hasTools ? sampleWithTools : (sample ?? sampleWithTools),
        params,
        signal,
      )
    })
  }
  if (roots) {
    const list = typeof roots === 'function' ? roots : () => roots
    sdk.setRequestHandler('roots/list', async (_request, { mcpReq: { signal } }) => ({
      roots: [...(await answered(list, undefined, signal))],
    }))
  }
  if (log) sdk.setNotificationHandler('notifications/message', ({ params }) => log(params))
  if (elicitUrlDone) {
    sdk.setNotificationHandler('notifications/elicitation/complete', ({ params }) =>
      elicitUrlDone(params.elicitationId),
    )
  }
}

/** JSON-RPC 2.0 section 5.1. */
const invalidParams = -32602
const internalError = -32603

/**
 * A handler failed. Its message and code are what the server reads; the reason is the `cause`, which goes to whoever
 * made the call and never over the wire.
 */
export class HandlerFailure extends Error {
  override readonly name = 'HandlerFailure'
  readonly code: number

  constructor(code: number, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** Questions of one server that wait for an answer at the same time: more of them drown the person. */
const mostOpen = 16

/** Asks handlers, and lets out of here only what the server may read. */
function answering() {
  let open = 0
  return async <Request, Answer>(
    handler: ((request: Request, context: QuestionContext) => Answer | Promise<Answer>) | undefined,
    request: Request,
    signal: AbortSignal,
  ): Promise<Answer> => {
    if (!handler) throw new HandlerFailure(invalidParams, 'The client did not declare this capability')
    if (open >= mostOpen)
      throw new HandlerFailure(internalError, 'The client has too many questions to answer')
    open++
    try {
      return await handler(request, { signal })
    } catch (error) {
      const message = error instanceof ToolError ? error.message : 'The client failed to answer'
      throw new HandlerFailure(internalError, message, error)
    } finally {
      open--
    }
  }
}

/** MCP "Elicitation", "Safe URL Handling": `javascript:` and `file:` are no pages. */
function onlyWeb(request: ElicitRequestURLParams): ElicitRequestURLParams {
  const { protocol } = URL.canParse(request.url) ? new URL(request.url) : { protocol: '' }
  if (protocol === 'https:' || protocol === 'http:') return request
  throw new HandlerFailure(invalidParams, 'The client opens http and https URLs only')
}
