import type { ServerContext } from '@modelcontextprotocol/server'
import type { AccessToken } from '../core/index.ts'
import type { Authorize } from './access.ts'
import type { Elicitation, ElicitationAnswer, Root, Sampling, SamplingAnswer } from './input-types.ts'

/** A JSON object, as it goes over the wire. */
export type JsonObject = { readonly [name: string]: unknown }

/**
 * A schema of any library that speaks Standard Schema (https://standardschema.dev): Zod 4.2 or newer, ArkType, Valibot
 * through `toStandardJsonSchema`. Structural, so that no library has to be installed.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    readonly jsonSchema?: {
      readonly input: (options: { target: 'draft-2020-12' }) => Record<string, unknown>
      readonly output: (options: { target: 'draft-2020-12' }) => Record<string, unknown>
    }
  }
}

/** What a {@link StandardSchema} says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** One thing a {@link StandardSchema} found wrong. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a handler gets as its arguments: the output of its schema, `{}` when there is none. */
export type Validated<Schema> =
  Schema extends StandardSchema<infer _Input, infer Output> ? Output : Record<never, never>

/** Severity of a log message to the client (RFC 5424, MCP "Logging"). */
export type LogLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency'

/** What every handler gets beside its arguments. Belongs to one request; nothing in it shows the token. */
export interface HandlerContext {
  /** Who calls. `undefined` when the server has no `auth`, and over stdio. */
  readonly auth: AccessToken | undefined
  /** Aborted when the caller cancels, disconnects, or the tool's time is up. */
  readonly signal: AbortSignal
  /** The JSON-RPC id of the request. */
  readonly requestId: string | number
  /** Tells the caller how far the work is; does nothing when the caller did not ask, or has left (MCP "Progress"). Never fails. */
  progress(progress: number, total?: number, message?: string): Promise<void>
  /** Sends a log message to the caller; never the place for a token (MCP "Logging"). Never fails. */
  log(level: LogLevel, data: unknown): Promise<void>
  /**
   * Asks the person behind the client, with a form or by sending them to a page (MCP "Elicitation").
   *
   * In 2025-11-25 this is a request to the client, and needs a session. In 2026-07-28 the call ends with the question,
   * the client makes it again with the answer, and **the handler runs again from its start**: what stands before the
   * question must be able to run twice. Questions asked at once, with `Promise.all`, go out together.
   *
   * @throws ToolError when the client cannot be asked. In 2026-07-28 the call ends instead with an error that names the
   *   capability the client lacks
   */
  elicit<Content = Record<string, unknown>>(question: Elicitation): Promise<ElicitationAnswer<Content>>
  /** Asks the model behind the client (MCP "Sampling"); everything said of `elicit` holds. */
  sample(question: Sampling): Promise<SamplingAnswer>
  /** Asks the client for the folders it works in (MCP "Roots"); everything said of `elicit` holds. */
  roots(): Promise<readonly Root[]>
  /** What the client says it can do (MCP "Client capabilities"); empty when it said nothing, as without a session. */
  readonly clientCapabilities: JsonObject
  /** The context of the MCP SDK, for what this package has no word for. */
  readonly mcp: ServerContext
}

/** An image for a server, tool, resource or prompt (MCP "Icons"). */
export interface Icon {
  /** A `https` or `data` URL. */
  readonly src: string
  readonly mimeType?: string
  /** Such as `48x48`, or `any`. */
  readonly sizes?: readonly string[]
  readonly theme?: 'light' | 'dark'
}

/** What more stands in a list beside a tool or prompt. */
export interface Listed {
  readonly icons?: readonly Icon[]
  /** Goes out as `_meta`. */
  readonly meta?: JsonObject
}

/** What more stands in a list beside a resource (MCP "Resources"). */
export interface ListedResource extends Listed {
  readonly annotations?: {
    readonly audience?: readonly ('user' | 'assistant')[]
    readonly priority?: number
    readonly lastModified?: string
  }
  /** Bytes. */
  readonly size?: number
}

/** What a completion may go by. */
export interface CompletionContext {
  readonly auth: AccessToken | undefined
  /** The values of the other arguments, as far as they are known. */
  readonly arguments: Readonly<Record<string, string>>
}

/** Suggests values for an argument that begin like this (MCP "Completion"). At most 100 are sent. */
export type Complete = (
  value: string,
  context: CompletionContext,
) => readonly string[] | Promise<readonly string[]>

/** Hints about a tool (MCP "Tool annotations"). Hints only: no client may rely on them. */
export interface ToolAnnotations {
  readonly title?: string
  readonly readOnlyHint?: boolean
  readonly destructiveHint?: boolean
  readonly idempotentHint?: boolean
  readonly openWorldHint?: boolean
}

/** One piece of content of a tool result or prompt message (MCP "Tool result"). */
export type ContentBlock =
  | { readonly type: 'text'; readonly text: string; readonly [more: string]: unknown }
  | {
      readonly type: 'image' | 'audio'
      readonly data: string
      readonly mimeType: string
      readonly [more: string]: unknown
    }
  | { readonly type: 'resource'; readonly resource: ResourceContents; readonly [more: string]: unknown }
  | {
      readonly type: 'resource_link'
      readonly uri: string
      readonly name: string
      readonly [more: string]: unknown
    }

/** What a resource holds: text, or bytes in base64 (MCP "Resource contents"). */
export type ResourceContents = { readonly uri: string; readonly mimeType?: string } & (
  | { readonly text: string }
  | { readonly blob: string }
)

/** A tool result as it goes over the wire (MCP "Tool result"). */
export interface ToolResult {
  readonly content: readonly ContentBlock[]
  readonly structuredContent?: unknown
  readonly isError?: boolean
  readonly _meta?: JsonObject
}

/** Options of a tool. */
export interface ToolOptions<
  Input extends StandardSchema | undefined = undefined,
  Output extends StandardSchema | undefined = undefined,
> {
  /** A name for people. */
  readonly title?: string
  /** What the tool does; the model reads it. */
  readonly description?: string
  /** What the arguments must look like: an object schema. Default: no arguments, the handler gets `{}`. */
  readonly inputSchema?: Input
  /** What the result looks like; it is validated and sent as `structuredContent`. */
  readonly outputSchema?: Output
  /** The scopes a caller needs, all of them. Who lacks one does not see the tool, and gets HTTP 403 on calling it. */
  readonly scopes?: readonly string[]
  /** Decides beyond the scopes, also by the arguments: may the caller, or which scopes would help? See {@link Authorize}. */
  readonly authorize?: Authorize
  readonly annotations?: ToolAnnotations
  /** Milliseconds after which a call is given up and its signal aborted. Default: the server's `toolTimeoutMs`. */
  readonly timeoutMs?: number
  /** Calls of one principal a minute; more are answered with 429. Default: no limit. */
  readonly rateLimit?: number
  readonly listed?: Listed
}

/** What the handler of a resource gets beside the variables of its template. */
export interface ResourceContext extends HandlerContext {
  /** The URI that was asked for. */
  readonly uri: string
}

/** Options of a resource. */
export interface ResourceOptions {
  /** Default: the URI, or the template. */
  readonly name?: string
  readonly title?: string
  readonly description?: string
  /** Default: `text/plain` for text, `application/json` for objects, `application/octet-stream` for bytes. */
  readonly mimeType?: string
  /** The scopes a caller needs, all of them. */
  readonly scopes?: readonly string[]
  /** Decides beyond the scopes, also by the URI. See {@link Authorize}. */
  readonly authorize?: Authorize
  /** Suggests values for the variables of a template. Default: none are suggested. */
  readonly complete?: Readonly<Record<string, Complete>>
  /** Reads of one principal a minute; more are answered with 429. Default: no limit. */
  readonly rateLimit?: number
  /** Milliseconds for which the client may keep what it read (MCP "Caching"). Default: 0. */
  readonly ttlMs?: number
  readonly listed?: ListedResource
}

/** Options of a prompt. */
export interface PromptOptions<Args extends StandardSchema | undefined = undefined> {
  readonly title?: string
  readonly description?: string
  /** What the arguments must look like: an object schema whose members are strings. Default: no arguments. */
  readonly argsSchema?: Args
  /** The scopes a caller needs, all of them. */
  readonly scopes?: readonly string[]
  /** Decides beyond the scopes, also by the arguments. See {@link Authorize}. */
  readonly authorize?: Authorize
  /** Suggests values for the arguments. Default: none are suggested. */
  readonly complete?: Readonly<Record<string, Complete>>
  /** Uses of one principal a minute; more are answered with 429. Default: no limit. */
  readonly rateLimit?: number
  readonly listed?: Listed
}

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: 'user' | 'assistant'
  readonly content: ContentBlock
}
