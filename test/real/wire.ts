import { onTestFinished } from 'vitest'

/** What a client of HTTP and nothing else sends and sees. */
export interface Wire {
  /** Sends a request, or a notification when the method is one. */
  ask(method: string, params?: object, headers?: Headers): Promise<Answer>
  /** Answers what the server has asked. */
  reply(id: unknown, result: object, headers?: Headers): Promise<Answer>
  /** Opens the stream of no request. */
  listen(headers?: Headers): Promise<Answer>
}

type Headers = Readonly<Record<string, string>>

/** An event of a stream; an answer that is no stream is one event. */
export interface SeenEvent {
  readonly id: string | undefined
  /** Nothing in an event that only gives its id. */
  readonly data: Message | undefined
}

export interface Message {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly message: string }
}

export interface Answer {
  readonly status: number
  readonly headers: globalThis.Headers
  /** The next event; nothing at the end. */
  next(): Promise<SeenEvent | undefined>
  /** All messages until the end. */
  all(): Promise<readonly Message[]>
  /** Breaks it off. */
  leave(): void
}

let ids = 0

/** @param key what is sent as the token, if anything is */
export function wired(url: string, key?: string): Wire {
  async function send(body: object | undefined, headers: Headers = {}): Promise<Answer> {
    const abort = new AbortController()
    onTestFinished(() => abort.abort())
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'application/json, text/event-stream',
        ...(body && { 'content-type': 'application/json' }),
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...headers,
      },
      ...(body && { body: JSON.stringify({ jsonrpc: '2.0', ...body }) }),
      signal: abort.signal,
    })
    return answerOf(response, () => abort.abort())
  }

  return {
    ask(method, params, headers) {
      ids += 1
      const id = method.startsWith('notifications/') ? {} : { id: ids }
      return send({ ...id, method, ...(params && { params }) }, headers)
    },
    reply: (id, result, headers) => send({ id, result }, headers),
    listen: (headers) => send(undefined, headers),
  }
}

function answerOf(response: Response, leave: () => void): Answer {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  const events = isStream ? eventsOf(response) : whole(response)
  const next = async () => (await events.next()).value as SeenEvent | undefined
  return {
    status: response.status,
    headers: response.headers,
    next,
    async all() {
      const messages: Message[] = []
      for (let event = await next(); event; event = await next()) if (event.data) messages.push(event.data)
      return messages
    },
    leave,
  }
}

async function* whole(response: Response): AsyncGenerator<SeenEvent> {
  const text = await response.text()
  if (text !== '') yield { id: undefined, data: JSON.parse(text) }
}

async function* eventsOf(response: Response): AsyncGenerator<SeenEvent> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const id = fieldOf(event, 'id')
      const data = fieldOf(event, 'data')
      if (id !== undefined || data) yield { id, data: data ? JSON.parse(data) : undefined }
    }
  }
}

/** These servers write each field on one line. */
function fieldOf(event: string, name: string): string | undefined {
  return event
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1)
    .trim()
}
