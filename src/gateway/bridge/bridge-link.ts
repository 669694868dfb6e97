import type { Transport } from '@modelcontextprotocol/client'
import { pause } from '../../client/fetch/retry-after.ts'
import type { ClientTransport } from '../../client/index.ts'
import { isAnswer, type RpcId, type RpcMessage, type RpcRequest } from '../message.ts'
import { watchingEnd } from './bridge-answers.ts'
import { statusOf } from './bridge-errors.ts'

/** What is told of a link. */
export interface LinkEvents {
  /** A request or a notification of the server's. */
  readonly onMessage: (link: Link, message: RpcMessage) => void
  /** The stream the server pushes messages on says that the session is over. */
  readonly onForgotten: (link: Link) => void
  /** Nobody can be answered on it any more. */
  readonly onClosed: (link: Link) => void
}

/** One transport to the server, and so one session at most. */
export interface Link {
  /** Whether the server has opened a session (MCP transports, "Session Management"). */
  readonly hasSession: boolean
  /** Every message that says nothing else goes out under this revision. */
  speak(revision: string): void
  /**
   * Sends a request.
   * @returns the answer; `undefined` when `signal` was aborted
   * @throws when there is none
   */
  request(
    message: RpcRequest,
    signal: AbortSignal,
    headers?: Readonly<Record<string, string>>,
  ): Promise<RpcMessage | undefined>
  /** Sends a notification, or an answer. */
  tell(message: RpcMessage): Promise<void>
  /** Takes it out of use as soon as nobody waits on it. */
  retire(): void
  /** Ends the session, for so many milliseconds at most, and everything under way. Does not throw. */
  close(farewellMs: number): Promise<void>
}

type Sent = Parameters<Transport['send']>[0]
type Waiting = (answer: RpcMessage) => void

/** Opens a link. Nothing is sent yet. */
export async function openLink(target: ClientTransport, events: LinkEvents): Promise<Link> {
  const transport = await target.open()
  const waiting = new Map<RpcId, Waiting>()
  let isRetired = false
  let isClosed = false
  const close = async (): Promise<void> => {
    if (isClosed) return
    isClosed = true
    keeper.abort()
    events.onClosed(link)
    await transport.close().catch(() => {})
  }
  const link: Link = {
    get hasSession() {
      return transport.sessionId !== undefined
    },
    speak: (revision) => transport.setProtocolVersion?.(revision),
    async request(message, signal, headers) {
      let answer: RpcMessage | undefined
      const answered = new Promise<void>((resolve) => {
        waiting.set(message.id, (given) => {
          answer = given
          resolve()
        })
      })
      try {
        await sent(transport, message, signal, headers, () => answer !== undefined, answered)
        return answer
      } finally {
        waiting.delete(message.id)
        if (isRetired && waiting.size === 0) void close()
      }
    },
    tell: (message) => transport.send(message as Sent),
    retire() {
      isRetired = true
      keeper.abort()
      if (waiting.size === 0) void close()
    },
    async close(farewellMs) {
      if (!isClosed) await farewell(transport, farewellMs)
      await close()
    },
  }
  const keeper = keepStream(transport, () => events.onForgotten(link))
  transport.onmessage = (received) => {
    const message = received as unknown as RpcMessage
    if (!isAnswer(message)) events.onMessage(link, message)
    else if (message.id !== undefined) waiting.get(message.id)?.(message)
  }
  await transport.start()
  return link
}

/** Settles with the answer, and fails when it is known that none comes: the end of a whole answer that was another's. */
async function sent(
  transport: Transport,
  message: RpcRequest,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> | undefined,
  isAnswered: () => boolean,
  answered: Promise<void>,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onEnd = (): void => {
      if (!isAnswered())
        reject(new Error('The server answered with something that is no answer to the request.'))
    }
    const sending = watchingEnd(onEnd, () =>
      transport.send(message as unknown as Sent, { requestSignal: signal, ...(headers && { headers }) }),
    )
    sending.then(resolve, reject)
    void answered.then(resolve)
  })
}

/** MCP transports, "Session Management": who leaves should say so. Best effort. */
async function farewell(transport: Transport, milliseconds: number): Promise<void> {
  if (transport.sessionId === undefined || !('terminateSession' in transport)) return
  const { terminateSession } = transport as { terminateSession: () => Promise<void> }
  const late = new AbortController()
  const leaving = terminateSession.call(transport).catch(() => {})
  await Promise.race([leaving, pause(milliseconds, late.signal).catch(() => {})])
  late.abort()
}

/** Milliseconds before a lost stream is asked for again, more each time. */
const soonest = 1_000
const latest = 30_000

/**
 * Sees to the stream the server pushes messages on, in sessions (MCP 2025-11-25 transports, "Listening for Messages from
 * the Server"). The SDK takes it up again a few times, then says that it gives up; a server that is restarted takes
 * longer.
 *
 * @returns what ends it
 */
function keepStream(transport: Transport, onForgotten: () => void): AbortController {
  const keeper = new AbortController()
  const { signal } = keeper
  let delay = soonest
  let isWaiting = false
  const again = async (): Promise<void> => {
    if (isWaiting || signal.aborted || !('resumeStream' in transport)) return
    isWaiting = true
    const { resumeStream } = transport as { resumeStream: (lastEventId: string) => Promise<void> }
    while (!signal.aborted) {
      await pause(delay, signal)
      delay = Math.min(delay * 2, latest)
      try {
        await resumeStream.call(transport, '')
        delay = soonest
        break
      } catch (error) {
        // It is open, or there is none: asking again does not help.
        if ([404, 405, 409].includes(statusOf(error) ?? 0)) break
      }
    }
    isWaiting = false
  }
  transport.onerror = (error) => {
    if (signal.aborted) return
    const isOfStream = 'code' in error && error.code === 'CLIENT_HTTP_FAILED_TO_OPEN_STREAM'
    if (isOfStream && statusOf(error) === 404 && transport.sessionId !== undefined) onForgotten()
    // The SDK has no other word for it.
    else if (error.message.startsWith('Maximum reconnection attempts')) again().catch(() => {})
  }
  return keeper
}
