import { isPassing } from './bridge-errors.ts'
import type { Link } from './bridge-link.ts'
import type { SessionMemory } from './bridge-memory.ts'
import { patiently } from './bridge-patience.ts'
import type { RpcId, RpcMessage } from './bridge-words.ts'

/** How a new session is made. */
export interface Introduction {
  /** An id for a request of ours. */
  readonly ownId: () => RpcId
  /** Milliseconds in which a server that cannot be reached is tried again. */
  readonly patienceMs: number
  readonly signal: AbortSignal
}

/**
 * Brings a new session to where the old one was.
 * @throws when the server does not begin one
 */
export async function introduce(
  link: Link,
  memory: SessionMemory,
  { ownId, patienceMs, signal }: Introduction,
): Promise<void> {
  const { handshake } = memory
  if (handshake === undefined) return
  const first = { ...handshake, id: ownId() }
  const answer = await patiently(() => link.request(first, signal), isPassing, patienceMs, signal)
  signal.throwIfAborted()
  if (answer === undefined || answer.error !== undefined) {
    throw new Error('The server has forgotten the session, and does not begin another one.')
  }
  speakAsAnswered(link, answer)
  if (!memory.isInitialized) return
  await link.tell({ jsonrpc: '2.0', method: 'notifications/initialized' })
  // What is refused now was taken once: the rest is worth more than nothing.
  for (const request of memory.requests()) {
    await link.request({ jsonrpc: '2.0', id: ownId(), ...request }, signal).catch(() => {})
  }
}

/** MCP 2025-11-25 transports, "Protocol Version Header": every later message says which revision was agreed on. */
export function speakAsAnswered(link: Link, { result }: RpcMessage): void {
  const revision = (result as { protocolVersion?: unknown } | null | undefined)?.protocolVersion
  if (typeof revision === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(revision)) link.speak(revision)
}
