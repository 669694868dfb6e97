import type { ContentBlock, JsonObject, StandardSchema } from './types.ts'

/** A question to the person behind the client (MCP "Elicitation"). */
export type Elicitation =
  | {
      /** What they are asked. */
      readonly message: string
      /**
       * The form: a Standard Schema of a flat object, or a JSON Schema as MCP restricts it. An answer that does not fit
       * is asked for again.
       */
      readonly schema: StandardSchema | JsonObject
      /** What the question is called on the wire, in 2026-07-28. Default: `input-1`, `input-2`, … in the order of asking. */
      readonly key?: string
    }
  | {
      readonly message: string
      readonly key?: string
      /** A page where they do it, for what must not pass through the client, such as a password. */
      readonly url: string
    }

/** What came of an {@link Elicitation}. */
export type ElicitationAnswer<Content = Record<string, unknown>> =
  | {
      readonly action: 'accept'
      /** What they filled in, checked against the schema; `{}` when they were sent to a page. */
      readonly content: Content
    }
  | {
      /** They said no, or closed it without an answer. */
      readonly action: 'decline' | 'cancel'
      readonly content?: undefined
    }

/** One message of a {@link Sampling}. */
export interface SamplingMessage {
  readonly role: 'user' | 'assistant'
  readonly content: ContentBlock | readonly ContentBlock[]
}

/** A question to the model behind the client (MCP "Sampling"). */
export interface Sampling {
  readonly messages: readonly SamplingMessage[]
  /** Tokens the answer may have. */
  readonly maxTokens: number
  readonly systemPrompt?: string
  readonly temperature?: number
  readonly stopSequences?: readonly string[]
  readonly modelPreferences?: JsonObject
  /** What the question is called on the wire, in 2026-07-28. Default: `input-1`, `input-2`, … in the order of asking. */
  readonly key?: string
  /** More members of `CreateMessageRequest`, as they are. */
  readonly [more: string]: unknown
}

/** What the model behind the client said. */
export interface SamplingAnswer {
  readonly role: 'user' | 'assistant'
  readonly content: ContentBlock | readonly ContentBlock[]
  readonly model: string
  readonly stopReason?: string
}

/** A folder the client works in (MCP "Roots"). */
export interface Root {
  /** A `file` URL. */
  readonly uri: string
  readonly name?: string
}
