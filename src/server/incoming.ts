import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHead } from '../http/head.ts'
import type { Incoming } from './exchange.ts'
import { pathOf, targetOf } from './listen.ts'

/**
 * A web-standard request.
 *
 * @param hidden names of headers that hold credentials: the protocol and handlers do not see them
 */
export function webIncoming(request: Request, head: RequestHead, hidden: ReadonlySet<string>): Incoming {
  return {
    head,
    header: (name) => request.headers.get(name)?.trim() ?? undefined,
    names: () => [...request.headers.keys()],
    onLeave(leave) {
      if (request.signal.aborted) leave()
      else request.signal.addEventListener('abort', leave, { once: true })
    },
    bare() {
      const headers = new Headers(request.headers)
      for (const name of hidden) headers.delete(name)
      return new Request(request.url, { method: request.method, headers, signal: request.signal })
    },
    whole(body) {
      const { url, method, headers, signal } = request
      return new Request(url, { method, headers, signal, ...streamed(body) })
    },
  }
}

/** A request of Node. */
export function nodeIncoming(
  req: IncomingMessage,
  res: ServerResponse,
  head: RequestHead,
  hidden: ReadonlySet<string>,
): Incoming {
  return new NodeIncoming(req, res, head, hidden)
}

/** A class, because there is one for each request, and little of it is needed. */
class NodeIncoming implements Incoming {
  readonly head: RequestHead
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #hidden: ReadonlySet<string>

  constructor(req: IncomingMessage, res: ServerResponse, head: RequestHead, hidden: ReadonlySet<string>) {
    this.head = head
    this.#req = req
    this.#res = res
    this.#hidden = hidden
  }

  header(name: string): string | undefined {
    const value = this.#req.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  names(): readonly string[] {
    return Object.keys(this.#req.headers)
  }

  onLeave(leave: () => void): void {
    const closed = () => {
      if (!this.#res.writableFinished) leave()
    }
    if (this.#res.destroyed) closed()
    else this.#res.once('close', closed)
  }

  /** The host in its URL is a fixed one: what a caller writes there decides nothing. */
  bare(): Request {
    const headers = new Headers()
    for (const [name, value] of Object.entries(this.#req.headers)) {
      // HTTP/2 writes its request line among the headers.
      if (value !== undefined && !this.#hidden.has(name) && !name.startsWith(':'))
        headers.set(name, Array.isArray(value) ? value.join(', ') : value)
    }
    const { signal, method } = this.head
    const url = `http://localhost${pathOf(this.#req.url)}`
    return new Request(url, { method, headers, ...(signal && { signal }) })
  }

  /** From the raw lines: of two credentials Node would keep the first, and nobody would know. */
  whole(body: ReadableStream<Uint8Array> | undefined): Request {
    const raw = this.#req.rawHeaders
    const headers = new Headers()
    for (let at = 0; at < raw.length; at += 2) {
      if (!raw[at]!.startsWith(':')) headers.append(raw[at]!, raw[at + 1]!)
    }
    const { signal, method } = this.head
    const url = `http://localhost${targetOf(this.#req.url)}`
    return new Request(url, { method, headers, ...(signal && { signal }), ...streamed(body) })
  }
}

/** A body that comes as it is read has to be called so (Fetch, `RequestDuplex`). */
function streamed(body: ReadableStream<Uint8Array> | undefined): RequestInit {
  return body ? { body, duplex: 'half' } : {}
}
