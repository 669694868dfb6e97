import type { ServerResponse } from 'node:http'
import { sendRefusal } from '../http/node-request.ts'
import { isResponse, sendResponse } from './node-response.ts'
import { EventStream, type Reply } from './reply.ts'

/**
 * Bytes that may wait for a reader who is slower than what is sent; with more the stream ends. One message may always be
 * on its way, however long it is.
 */
const mostWaiting = 8 * 1024 * 1024

/** Writes a reply to a Node response: an answer in one piece, a stream as it comes. */
export function sendReply(
  res: ServerResponse,
  reply: Reply | Response,
  extraHeaders: Readonly<Record<string, string>> = {},
): void | Promise<void> {
  if (isResponse(reply)) return sendResponse(reply, res, extraHeaders)
  if (!(reply instanceof EventStream)) return sendRefusal(res, reply, extraHeaders)
  if (res.headersSent || res.destroyed) return reply.close()
  res.once('close', () => reply.close())
  res.writeHead(reply.status, { ...reply.headers, ...extraHeaders })
  res.flushHeaders()
  res.on('drain', () => reply.drained())
  reply.attach({
    write(text) {
      if (res.writableLength <= mostWaiting) return res.write(text)
      res.destroy()
      return false
    },
    end: () => void res.end(),
  })
}

/** A reply as a web-standard response. */
export function webReply(
  reply: Reply | Response,
  method: string,
  extraHeaders: Readonly<Record<string, string>> = {},
): Response {
  if (isResponse(reply)) {
    const { status, statusText } = reply
    const headers = new Headers(reply.headers)
    for (const [name, value] of Object.entries(extraHeaders)) {
      // What an answer varies on by itself stays.
      if (name === 'vary') headers.append(name, value)
      else headers.set(name, value)
    }
    return new Response(method === 'HEAD' ? null : reply.body, { status, statusText, headers })
  }
  if (!(reply instanceof EventStream)) {
    const isEmpty = method === 'HEAD' || reply.status === 202 || reply.status === 204
    const { status, headers } = reply
    return new Response(isEmpty ? null : reply.body, { status, headers: { ...headers, ...extraHeaders } })
  }
  const headers = { ...reply.headers, ...extraHeaders }
  return new Response(bodyOf(reply), { status: reply.status, headers })
}

function bodyOf(stream: EventStream): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        stream.attach({
          write(text) {
            if ((controller.desiredSize ?? 0) <= 0) stream.close()
            else controller.enqueue(encoder.encode(text))
            return (controller.desiredSize ?? 0) > 0
          },
          end() {
            try {
              controller.close()
            } catch {
              // The reader closed it.
            }
          },
        })
      },
      pull: () => stream.drained(),
      cancel: () => stream.close(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: mostWaiting }),
  )
}
