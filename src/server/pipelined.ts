import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Responses that wait for others on their connection. */
const waiting = new WeakMap<Socket, Set<ServerResponse>>()

/**
 * Lets a response that waits for those before it (RFC 9112 section 9.3.2) hear that its connection is gone: Node gives
 * it a socket, and with that its end, only when its turn has come. What runs for it would go on for nobody.
 */
export function closeWithConnection({ socket }: IncomingMessage, res: ServerResponse): void {
  // One of HTTP/2 has its stream from the start.
  if (res.socket !== null) return
  let responses = waiting.get(socket)
  if (!responses) {
    responses = new Set()
    waiting.set(socket, responses)
    socket.once('close', () => {
      for (const one of waiting.get(socket) ?? []) cut(one)
    })
  }
  responses.add(res)
  res.once('close', () => void responses.delete(res))
}

function cut(res: ServerResponse): void {
  if (res.socket !== null || res.destroyed) return
  res.destroy()
  // Without a socket it does not say so by itself.
  res.emit('close')
}
