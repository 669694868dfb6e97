import type { Transport } from '@modelcontextprotocol/client'

/** A JSON-RPC message. */
export type Message = Parameters<Transport['send']>[0]
type SendOptions = Parameters<Transport['send']>[1]
type Id = string | number

/**
 * Makes calls fail whose answer can no longer come: the event stream of a POST ended or broke off without it, and
 * cannot be resumed, or not any more. The SDK reports the end of such a stream to `subscriptions/listen` only; every
 * other call would wait for its timeout. A call is never sent again: the server may have carried it out.
 *
 * `send` then settles with the answer instead of with the head of the response; the SDK waits for neither.
 *
 * @param transport of the SDK, not started; its method `send` and its member `onmessage` are replaced
 * @param reason why the answer does not come
 * @param read gives the message that is passed on instead of one that arrived. Default: that one
 * @returns fails every call that waits: for a transport whose answers all come over one stream
 */
export function failLostCalls(
  transport: Transport,
  reason: () => Error,
  read: (message: Message) => Message = (message) => message,
): () => void {
  const waiting = new Map<Id, Waiting>()
  watchMessages(transport, (message) => {
    const id = answeredBy(message)
    if (id !== undefined) waiting.get(id)?.settle()
    return read(message)
  })
  const send = transport.send.bind(transport)
  transport.send = (message, options) => {
    const id = asked(message, options)
    if (id === undefined) return send(message, options)
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        waiting.delete(id)
        options?.requestSignal?.removeEventListener('abort', settle)
        resolve()
      }
      const fail = (error: unknown): void => {
        reject(error)
        settle()
      }
      waiting.set(id, { settle, fail })
      options?.requestSignal?.addEventListener('abort', settle, { once: true })
      send(message, { ...options, onRequestStreamEnd: () => fail(reason()) }).catch(fail)
    })
  }
  const close = transport.close.bind(transport)
  transport.close = async () => {
    for (const { settle } of [...waiting.values()]) settle()
    await close()
  }
  return () => {
    for (const { fail } of [...waiting.values()]) fail(reason())
  }
}

interface Waiting {
  readonly settle: () => void
  readonly fail: (error: unknown) => void
}

/** The id of a request whose end nobody watches yet. */
function asked(message: Message, options: SendOptions): Id | undefined {
  if (!('method' in message) || !('id' in message) || options?.onRequestStreamEnd) return undefined
  return message.id
}

function answeredBy(message: Message): Id | undefined {
  return 'method' in message ? undefined : message.id
}

/** Whoever listens, and whenever that is set: we see each message first. */
function watchMessages(transport: Transport, see: (message: Message) => Message): void {
  type Listener = NonNullable<Transport['onmessage']>
  // Version negotiation takes a listener away and puts it back.
  const watched = new WeakSet<Listener>()
  const watch = (listener: Listener): Listener => {
    const both: Listener = (message, extra) => listener(see(message), extra)
    watched.add(both)
    return both
  }
  let current: Transport['onmessage']
  Object.defineProperty(transport, 'onmessage', {
    get: () => current,
    set: (listener: Transport['onmessage']) => {
      current = listener && !watched.has(listener) ? watch(listener) : listener
    },
    configurable: true,
    enumerable: true,
  })
}
