import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { stopwatch } from '../../core/clock.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import { type ProbeRequest, type ProbeSender, ProbeUnreachable } from '../probe/exchange.ts'
import { type BodyLimits, readBody } from './answer-body.ts'
import { unreachableSentence } from './unreachable-sentence.ts'

/** How a {@link nodeSender} sends. */
export interface NodeSenderOptions {
  /** The one place it sends to, such as `https://mcp.example.com`. What stands behind the port is ignored. */
  readonly origin: string | URL
  /** Milliseconds for the connection and the head of the answer, and again for its body. 100 to 120,000. Default: 10,000. */
  readonly timeoutMs?: number
  /** Bytes of a body; what is more is cut. 1 to 16 MiB. Default: 256 KiB. */
  readonly maxBytes?: number
}

/**
 * Makes a sender on the sockets of this process. What it is given stands on the wire as it is: the order of headers, two
 * lines of one name, another `Host`, a path that no URL parser has seen. Follows no redirect, keeps no cookie, takes no
 * proxy from the environment, and opens a connection for each request.
 *
 * @throws TypeError when an option is wrong
 */
export function nodeSender(options: NodeSenderOptions): ProbeSender & { close(): void } {
  checkOptions('nodeSender', options, ['origin', 'timeoutMs', 'maxBytes'])
  const origin = originOf(options.origin)
  const limits: BodyLimits = {
    timeoutMs: numberBetween('nodeSender: timeoutMs', options.timeoutMs ?? 10_000, 100, 120_000),
    maxBytes: numberBetween('nodeSender: maxBytes', options.maxBytes ?? 262_144, 1, 16 * 1024 * 1024),
  }
  const isTls = origin.protocol === 'https:'
  // An agent of its own: the global one may keep connections, and take a proxy from the environment.
  const agent = isTls ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false })
  const open = isTls ? httpsRequest : httpRequest

  function start(request: ProbeRequest): ClientRequest {
    if (!request.target.startsWith('/'))
      throw new ProbeUnreachable('A request target must begin with a slash.')
    try {
      return open({
        agent,
        host: origin.hostname.replace(/^\[|\]$/g, ''),
        port: origin.port === '' ? (isTls ? 443 : 80) : Number(origin.port),
        method: request.method,
        path: request.target,
        headers: headerLines(request, origin.host),
      })
    } catch (error) {
      throw new ProbeUnreachable(unreachableSentence(error, origin.host))
    }
  }

  return {
    isRaw: true,
    async send(request, signal) {
      signal.throwIfAborted()
      const startedAt = stopwatch()
      const sent = start(request)
      const stop = () => sent.destroy()
      signal.addEventListener('abort', stop, { once: true })
      try {
        const answer = await headOf(sent, request, limits.timeoutMs)
        const ms = Math.round(stopwatch() - startedAt)
        const read = await readBody(answer, request, limits)
        signal.throwIfAborted()
        return { status: answer.statusCode ?? 0, headers: pairsOf(answer), ...read, ms }
      } catch (error) {
        signal.throwIfAborted()
        throw new ProbeUnreachable(unreachableSentence(error, origin.host))
      } finally {
        signal.removeEventListener('abort', stop)
        sent.destroy()
      }
    },
    close: () => agent.destroy(),
  }
}

function originOf(given: string | URL): URL {
  const url = URL.canParse(String(given)) ? new URL(given) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new TypeError('nodeSender: origin must be an http or https URL')
  return url
}

/** Every line there is, in order. Node adds only `Connection`. */
function headerLines({ method, headers, body }: ProbeRequest, host: string): string[] {
  const has = (name: string) => headers.some(([one]) => one.toLowerCase() === name)
  const needsLength = body !== undefined || !/^(?:GET|HEAD|OPTIONS)$/.test(method)
  const isLengthGiven = has('content-length') || has('transfer-encoding')
  const length = needsLength && !isLengthGiven ? [['Content-Length', String(byteLength(body))]] : []
  const own = [
    ...(has('host') ? [] : [['Host', host]]),
    ...(has('user-agent') ? [] : [['User-Agent', 'mcp-bearer-probe']]),
  ]
  return [...own, ...headers, ...length].flat()
}

function byteLength(body: string | undefined): number {
  return new TextEncoder().encode(body ?? '').length
}

/** The head of the answer. A body that is announced and not there is waited for by the server; Node sends what there is. */
function headOf(sent: ClientRequest, request: ProbeRequest, timeoutMs: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new ProbeUnreachable(`No answer came within ${timeoutMs / 1000} seconds.`))
      sent.destroy()
    }, timeoutMs)
    sent.once('close', () => {
      clearTimeout(timer)
      reject(new ProbeUnreachable('The server closed the connection without an answer.'))
    })
    sent.on('error', reject)
    sent.once('upgrade', (_answer, socket) => socket.destroy())
    sent.once('response', (answer: IncomingMessage) => {
      clearTimeout(timer)
      resolve(answer)
    })
    sent.end(request.body)
  })
}

function pairsOf({ rawHeaders }: IncomingMessage): (readonly [string, string])[] {
  return Array.from({ length: rawHeaders.length / 2 }, (_none, at) => [
    rawHeaders[2 * at]!.toLowerCase(),
    rawHeaders[2 * at + 1]!,
  ])
}
