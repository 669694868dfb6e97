import { isAnswer, type RpcMessage } from '../message.ts'
import { UpstreamError } from '../upstream.ts'
import { answerFor, type Named, notificationFor, ownId, ownIdIn, renamed } from './channel-ids.ts'
import type { Child, ChildExit } from './child.ts'

/** Whoever waits for the answer to a request. */
export interface Asker extends Named {
  /** What the server says of the request before it answers. */
  message(message: RpcMessage): void
  /** The answer. Nothing comes after it. */
  answer(message: RpcMessage): void
  /** There is none, and nothing comes any more. */
  fail(error: UpstreamError): void
}

/** Whom a channel is for. */
export interface ChannelHost {
  /** The server says something that belongs to no request: a request of its own, or a notification. */
  said(channel: Channel, message: RpcMessage): void
  /** The process is gone. Who still waited for an answer has been told. */
  ended(channel: Channel, exit: ChildExit): void
}

/** One running server process that many ask, each under names of its own: on the way there are others, and back. */
export interface Channel {
  readonly isRunning: boolean
  /**
   * Sends a request.
   * @returns the id it has on this channel
   * @throws UpstreamError `busy`, or `unreachable`
   */
  ask(message: RpcMessage, asker: Asker): number
  /** Sends what needs no answer: an answer, or a notification. What cannot be sent is dropped. */
  tell(message: RpcMessage): void
  /** Lets a request go: the server is told, and its answer is dropped (MCP "Cancellation"). */
  giveUp(own: number, reason: string): void
  /** The asker of a request that the server lets go. */
  dismiss(own: unknown): Asker | undefined
  /** Belongs to another host from now on. */
  serve(host: ChannelHost): void
  /** Ends the process. Resolves when it is gone. */
  stop(): Promise<void>
}

/** Requests one process may have to answer at a time. */
const mostUnderWay = 1000

/** Makes a {@link Channel} of a process that has just been started. */
export function channel(child: Child, firstHost: ChannelHost): Channel {
  let host = firstHost
  const askers = new Map<number, Asker>()
  let last = 0

  function taken(own: number): Asker | undefined {
    const asker = askers.get(own)
    askers.delete(own)
    return asker
  }

  function hear(message: RpcMessage): void {
    if (isAnswer(message)) {
      const asker = taken(ownId(message.id))
      return void asker?.answer(answerFor(message, asker))
    }
    const own = ownIdIn(message)
    if (own === 'none') return void host.said(self, message)
    const asker = askers.get(own)
    const told = asker && notificationFor(message, asker)
    if (told) asker.message(told)
  }

  const self: Channel = {
    get isRunning() {
      return child.isRunning
    },
    ask(message, asker) {
      if (askers.size >= mostUnderWay) throw overloaded('The server has too many requests to answer.')
      const own = ++last
      if (!child.send(renamed(message, own))) {
        throw child.isRunning ? overloaded('The server does not read what it is sent.') : gone()
      }
      askers.set(own, asker)
      return own
    },
    tell: (message) => void child.send(message),
    giveUp(own, reason) {
      if (!taken(own)) return
      const params = { requestId: own, reason }
      child.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
    },
    dismiss: (own) => taken(ownId(own)),
    serve(next) {
      host = next
    },
    stop: () => child.stop(),
  }
  child.onMessage = hear
  child.onExit = (exit) => {
    const left = [...askers.values()]
    askers.clear()
    for (const asker of left) asker.fail(new UpstreamError('unreachable', exit.text))
    host.ended(self, exit)
  }
  return self
}

function overloaded(message: string): UpstreamError {
  return new UpstreamError('busy', message, { retryAfter: 1 })
}

function gone(): UpstreamError {
  return new UpstreamError('unreachable', 'The server has ended.')
}
