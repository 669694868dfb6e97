import { isPassing } from './bridge-errors.ts'
import type { Link } from './bridge-link.ts'
import { revisionIn, type SessionMemory } from './bridge-memory.ts'
import { type Patience, patiently } from './bridge-patience.ts'
import type { RpcId, RpcMessage } from './bridge-words.ts'

/** How a new session is made. */
export interface Introduction {
  /** An id for a request of ours. */
  readonly ownId: () => RpcId
  readonly patience: Patience
  readonly signal: AbortSignal
}

/**
 * Brings a new session to where the old one was.
 * @throws when the server does not begin one
 */
export async function introduce(
  link: Link,
  memory: SessionMemory,
  { ownId, patience, signal }: Introduction,
): Promise<void> {
  const { handshake } = memory
  if (handshake === undefined) return
  const first = { ...handshake, id: ownId() }
  const answer = await patiently(() => link.request(first, signal), isPassing, patience, signal)
  signal.throwIfAborted()
  if (answer === undefined || answer.error !== undefined) {
    throw new Error('The server has forgotten the session, and does not begin another one.')
  }
  // The host goes by the first answer, and cannot be told that there is another one.
  if (revisionIn(answer) !== memory.revision) {
    throw new Error(
      'The server was replaced by one that speaks another revision of MCP. Restart the connection.',
    )
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
export function speakAsAnswered(link: Link, answer: RpcMessage): void {
  const revision = revisionIn(answer)
  if (typeof revision === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(revision)) link.speak(revision)
}
