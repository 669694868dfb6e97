import { isAnswer, isRequest } from '../message.ts'
import type { Link } from './bridge-link.ts'
import { repeatedParams } from './bridge-param-headers.ts'
import { type PendingContext, PendingRequests } from './bridge-pending.ts'
import { questions } from './bridge-questions.ts'
import type { Route } from './bridge-route.ts'
import { cancelled, failed, type RpcMessage, subscriptionOf } from './bridge-words.ts'

/** What a {@link Relay} is made with. */
export interface RelayOptions extends Pick<PendingContext, 'write' | 'label' | 'advice' | 'timeoutMs'> {
  readonly route: () => Route
  /** No request hears of it. */
  readonly onProblem: (error: unknown) => void
}

/** Carries messages between a host and a server. Every request gets one answer, whatever becomes of it. */
export interface Relay {
  fromHost(message: RpcMessage, bytes: number): void
  fromServer(link: Link, message: RpcMessage): void
  /** Nobody waits for answers on that link any more. */
  closed(link: Link): void
  /** Resolves when no request waits for its answer, subscriptions aside. */
  idle(): Promise<void>
  /** Answers whatever is under way, and gives it up. */
  abort(): void
}

export function relay({ route, onProblem, ...context }: RelayOptions): Relay {
  const { write } = context
  const asked = questions()
  const params = repeatedParams()
  const tell = (message: RpcMessage): void => void route().tell(message).catch(onProblem)
  const pending = new PendingRequests({
    ...context,
    tell,
    ask: (request, signal) =>
      params.ask(request, (one, headers) => route().ask(one, signal, headers), route().ownId),
  })
  const ask = (link: Link, question: RpcMessage): void => {
    const known = asked.asked(link, question)
    if (known) {
      write(known)
      return
    }
    const error = { code: failed, message: 'The host has too many questions to answer' }
    link
      .tell({ jsonrpc: '2.0', ...(question.id !== undefined && { id: question.id }), error })
      .catch(onProblem)
  }

  return {
    fromHost(message, bytes) {
      if (isRequest(message)) pending.begin(message, bytes)
      else if (isAnswer(message)) {
        const question = asked.answered(message)
        question?.link.tell(question.message).catch(onProblem)
      } else if (message.method === 'notifications/cancelled') pending.cancel(message)
      else tell(message)
    },
    fromServer(link, message) {
      if (isRequest(message)) ask(link, message)
      else if (message.method === 'notifications/cancelled') {
        const requestId = asked.idOf(link, message.params?.requestId)
        if (requestId !== undefined) write({ ...message, params: { ...message.params, requestId } })
      } else {
        const heard = pending.listening(subscriptionOf(message))
        const isAgreement = message.method === 'notifications/subscriptions/acknowledged'
        if (!isAgreement || !heard || heard.agreed(message)) write(message)
      }
    },
    closed(link) {
      for (const id of asked.dropped(link)) write(cancelled(id, 'The session is over'))
    },
    idle: () => pending.idle(),
    abort: () => pending.abort(),
  }
}
