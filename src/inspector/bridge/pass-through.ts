import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, Transform } from 'node:stream'
import type { PlainAnswer } from '../../http/refusal.ts'
import { ProbeUnreachable } from '../probe/exchange.ts'
import { unreachableSentence } from '../senders/unreachable-sentence.ts'
import { problemAnswer, sendLocal } from './local-answer.ts'
import type { LocalVisit } from './local-site.ts'
import { answerHead, requestHeaders } from './passed-headers.ts'
import { inQuery, insecure } from './send-raw.ts'
import type { Target } from './target.ts'

/** Bytes of a request. */
const mostBytes = 16 * 1024 * 1024
/** Milliseconds for the connection, and for the head of the answer: a tool may take its time. */
const connectMs = 15_000
const headMs = 600_000

/**
 * Passes a request of the page on to the server, and the answer back: as it comes, and no faster than it is read. When the
 * page leaves, the request ends.
 *
 * @param path on the server, with its query
 * @returns why it is not done; `undefined` when it is
 */
export function passThrough(
  target: Target,
  { req, res, invite }: LocalVisit,
  path: string,
): PlainAnswer | undefined {
  const isCredentialed = req.headers.authorization !== undefined || inQuery.test(path)
  if (isCredentialed && !target.takesCredentials) return insecure
  if (Number(req.headers['content-length'] ?? 0) > mostBytes) return tooLarge
  const request = opened(target, req, path)
  if (request === undefined) return unusable
  const stopWaiting = patience(request)
  const refuse = (problem: PlainAnswer) => {
    stopWaiting()
    if (!res.headersSent) sendLocal(res, problem)
    request.destroy()
  }
  request.once('response', (answer) => {
    stopWaiting()
    if (isFinal(answer)) passBack(answer, res)
    else refuse(noStatus)
  })
  // Nobody has asked for it. Without a listener Node closes the connection, and nobody hears of it.
  request.once('upgrade', () => refuse(noStatus))
  request.on('error', (error) => {
    stopWaiting()
    // Behind the head of an answer it is that of the answer, which knows as well.
    if (res.headersSent) return
    sendLocal(res, problemAnswer(502, 'unreachable', unreachableSentence(error, target.url.host)))
  })
  res.once('close', () => {
    stopWaiting()
    request.destroy()
  })
  invite()
  const counted = counting(() => {
    sendLocal(res, tooLarge)
    request.destroy()
  })
  // Not a pipeline: when the server has answered early and left, the page still has to get that answer.
  req.pipe(counted).pipe(request)
  return undefined
}

/** `undefined` when Node does not take it: a character no header or path can have. */
function opened(target: Target, req: IncomingMessage, path: string): ClientRequest | undefined {
  try {
    return target.open(req.method ?? 'GET', path, requestHeaders(req, target))
  } catch {
    return undefined
  }
}

/** Node takes what no server may answer with, and throws when it has to write it (RFC 9110 section 15). */
function isFinal({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode <= 599
}

function passBack(answer: IncomingMessage, res: ServerResponse): void {
  if (res.headersSent || res.destroyed) return void answer.destroy()
  const { status, headers } = answerHead(answer)
  res.writeHead(status, headers as string[])
  // The first event of a stream may be long in coming.
  res.flushHeaders()
  // What broke off must not look whole: `pipeline` breaks off the other side, too.
  pipeline(answer, res, () => {})
}

/** Stops what is too much. */
function counting(onTooMuch: () => void): Transform {
  let left = mostBytes
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const wasTooMuch = left < 0
      left -= chunk.length
      if (left >= 0) return done(null, chunk)
      // Once: the second time would break off the answer that says so.
      if (!wasTooMuch) onTooMuch()
      done()
    },
  })
}

/** Gives up a server that does not answer. @returns what calls it off */
function patience(request: ClientRequest): () => void {
  const giveUp = () => void request.destroy(new ProbeUnreachable('No answer came in time.'))
  const connecting = setTimeout(giveUp, connectMs)
  const waiting = setTimeout(giveUp, headMs)
  request.once('socket', (socket) => {
    const connected = () => clearTimeout(connecting)
    if (socket.connecting) socket.once('connect', connected)
    else connected()
  })
  return () => {
    clearTimeout(connecting)
    clearTimeout(waiting)
  }
}

const tooLarge = problemAnswer(413, 'too_large', `A request must not be longer than ${mostBytes} bytes.`)
const noStatus = problemAnswer(
  502,
  'unreachable',
  'The server answered with a status that is none, or wanted to speak another protocol.',
)
const unusable = problemAnswer(400, 'request', 'The request has a character that no header can have.')
