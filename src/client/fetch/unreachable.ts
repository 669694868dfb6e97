import { conceal } from './secrets.ts'
import type { Server } from './server.ts'

/** Codes of Node, Bun and Deno for a connection that was there and ended. */
const ended = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ConnectionClosed'])

/**
 * What a failed request becomes. The error of a `fetch` may hold the request itself, headers included, or the bytes
 * that came back; only its words and its code are kept.
 */
export function unreachable(error: unknown, server: Server, secrets: readonly string[]): TypeError {
  let root = error
  for (let depth = 0; depth < 8 && root instanceof Error && root.cause instanceof Error; depth++) {
    root = root.cause
  }
  const { message, code } = root instanceof Error ? (root as NodeJS.ErrnoException) : { message: '' }
  const known = typeof code === 'string' ? code : undefined
  const reason = conceal(message || known || 'no reason given', secrets)
  const failure =
    known !== undefined && ended.has(known)
      ? endedEarly(server)
      : new TypeError(`${server.label} cannot be reached: ${reason}`)
  return known === undefined ? failure : Object.assign(failure, { code: known })
}

/** The server is gone in the middle of a call. Nobody can say more, so nobody may send the call again by itself. */
export function endedEarly({ label }: Server): TypeError {
  return new TypeError(
    `${label} ended the connection before it answered; whether the call was carried out is unknown`,
  )
}
