/**
 * The head of an HTTP request: all that authentication may look at. The body is not part of it, so a refusal never
 * waits for one.
 */
export interface RequestHead {
  readonly method: string
  /** The request target: a path, or an absolute URL. Its query is searched for tokens, its path only compared. */
  readonly url: string
  /** Every value the request holds under a lower-case header name, one for each line; empty when there is none. */
  header(name: string): readonly string[]
  /** The address of the other end of the connection, as the socket gives it, where somebody knows it. */
  readonly remote?: string | undefined
  /** Aborted when the caller is gone. May be made on first use: read it only when it is needed. */
  readonly signal?: AbortSignal | undefined
}

/** The end of a connection. */
export interface RemoteEnd {
  readonly remoteAddress?: string | undefined
}

/**
 * The head of a `Request`. Fetch joins several lines of one name with a comma: one value, in which the comma tells.
 *
 * @param socket that it came over, where the host has it at hand
 */
export function requestHead(request: Request, socket?: RemoteEnd): RequestHead {
  return new FetchHead(request, socket)
}

/** A class for its getters: reading the signal of a `Request` makes one, and most requests never need it. */
class FetchHead implements RequestHead {
  readonly #request: Request
  readonly #socket: RemoteEnd | undefined

  constructor(request: Request, socket: RemoteEnd | undefined) {
    this.#request = request
    this.#socket = socket
  }

  get method(): string {
    return this.#request.method
  }

  get url(): string {
    return this.#request.url
  }

  get remote(): string | undefined {
    return this.#socket?.remoteAddress
  }

  get signal(): AbortSignal {
    return this.#request.signal
  }

  header(name: string): readonly string[] {
    const value = this.#request.headers.get(name)
    return value === null ? [] : [value]
  }
}
