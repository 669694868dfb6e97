import type { JsonObject } from '../message.ts'

/**
 * Patterns. In names `*` stands for any text; in the URIs of resources `*` stands for any text without `/`, and `**` for
 * any text. Everything else stands for itself, and the whole name has to fit.
 */
export type Globs = readonly string[]

/** What is allowed or forbidden, by name. */
export interface PolicyThings {
  /** Names of tools: `*` is any text. */
  readonly tools?: Globs
  /**
   * URIs of resources: `*` is any text without `/`, `**` any text. Compared in one spelling for all spellings of a URI.
   * Templates are compared by their text: `docs://{id}` fits `docs://*`.
   */
  readonly resources?: Globs
  /** Names of prompts: `*` is any text. */
  readonly prompts?: Globs
}

/**
 * Whom a rule is for. All members that are there have to fit, and of the lists other than `scopes` one entry each. A
 * member that is there is never empty.
 */
export interface PolicyWho {
  /** Scopes the token must cover, all of them, the hierarchy counted. No patterns. */
  readonly scopes?: readonly string[]
  /** `sub` of the token, or the owner of an API key. Unique only within one issuer: name `issuers` where there are several. */
  readonly subjects?: Globs
  /** The client the token was issued to. */
  readonly clients?: Globs
  /** API keys, by their id or their name. A token of another kind fits none. */
  readonly keys?: Globs
  /** `iss` of the token, exactly. No patterns. An API key has none. */
  readonly issuers?: readonly string[]
  /** The tenant of an API key, or the claim `tenant_id`. */
  readonly tenants?: Globs
}

/** Allows something to somebody. */
export interface PolicyRule extends PolicyThings {
  /** What people call it. */
  readonly name?: string
  /** Default: everybody whose token is good. */
  readonly who?: PolicyWho
  /**
   * Methods beyond those of the protocol, notifications as well, exactly. `tasks/list` counts as one. Default: none.
   */
  readonly methods?: readonly string[]
  /**
   * What the arguments of tools must be: JSON Schema 2020-12 by name or pattern of the tool. All whose pattern fits hold.
   * What is not in `required` may be left out, and what is not in `properties` is let through without
   * `additionalProperties: false`. Default: anything.
   */
  readonly arguments?: Readonly<Record<string, JsonObject>>
  /** Allows only the tools that say of themselves that they change nothing (`annotations.readOnlyHint`). Default: false. */
  readonly readOnly?: boolean
  /** Calls of tools by one principal a minute that this rule allows, 1 to 1,000,000. Another rule may allow more. Default: no limit. */
  readonly callsPerMinute?: number
}

/**
 * Who may see and do what. Something passes when nothing in `deny` fits it and some rule allows it, arguments included;
 * rules only ever allow, so their order decides nothing. An empty document denies every tool, resource and prompt.
 */
export interface PolicyDocument {
  /**
   * What happens to tools, resources and prompts that no rule names: `deny`, or `allow`. What a rule names is only for
   * those to whom a rule allows it, either way. Default: `deny`.
   */
  readonly default?: 'deny' | 'allow'
  /**
   * Nobody may use a tool but those that say of themselves that they change nothing (`annotations.readOnlyHint`), nor a
   * method beyond those of the protocol. Default: false.
   */
  readonly readOnly?: boolean
  /** Nobody may, whatever a rule says. Default: nothing. */
  readonly deny?: PolicyThings
  /** Default: none. */
  readonly rules?: readonly PolicyRule[]
  /** Requests and notifications of one principal a minute, 1 to 1,000,000. Default: no limit. */
  readonly requestsPerMinute?: number
  /** Calls of tools by one principal a minute, all rules together, 1 to 1,000,000. Default: no limit. */
  readonly callsPerMinute?: number
}
