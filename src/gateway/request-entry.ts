/** What is written down of one request when it is over. Nothing in it is a credential. */
export interface RequestEntry {
  /** When it came, in milliseconds since 1970. */
  readonly time: number
  /** `sub` of the caller, or the owner of an API key. */
  readonly subject?: string
  /** The client, or the id of an API key. */
  readonly client?: string
  /**
   * The method of the protocol, such as `tools/call`, or `response` for an answer to the server; for a request whose
   * message was not read, or that has none, that of HTTP, such as `GET`.
   */
  readonly method: string
  /** The tool, resource or prompt. */
  readonly target?: string
  /**
   * `ok`, or in one word why not: a code of `AuthError`; a problem of the upstream; `upstream_error` when the server
   * itself answered with an HTTP error; `arguments`; `bad_request`; `closed` when the gateway was; `left` when the caller
   * did before there was an answer.
   */
  readonly outcome: string
  /** The HTTP status; 0 when the caller left before there was one. */
  readonly status: number
  /** Milliseconds from its head to the end of its answer. */
  readonly ms: number
}

/** Where entries go. Called once for each request; what it throws is dropped. */
export type RequestSink = (entry: RequestEntry) => void
