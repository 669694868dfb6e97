import type { Wire } from './exchange.ts'
import type { ServerFacts } from './negotiate.ts'
import { legacyHeaders } from './negotiate.ts'
import { messagesOf } from './read-answer.ts'

/** So long a call waits for the stream, in milliseconds: some servers send nothing before they have something to say. */
const patience = 1000

/**
 * Opens the stream on which a server of 2025-11-25 says what belongs to no request (MCP Streamable HTTP, "Listening for
 * Messages from the Server"). Many servers ask the person there. One that has no such stream is left alone.
 *
 * @param said is called with each message
 * @param ended is called when the stream is over
 * @returns when it is there, or will not be
 */
export async function openNews(
  wire: Wire,
  server: ServerFacts,
  signal: AbortSignal,
  { said, ended }: { readonly said: (message: unknown) => void; readonly ended: () => void },
): Promise<void> {
  const { endpoint, fetch, token } = wire
  const headers = { accept: 'text/event-stream', ...legacyHeaders(server) }
  const opening = fetch({ purpose: 'call', method: 'GET', path: endpoint, headers, token, signal })
  listen(opening, said).then(ended, ended)
  await Promise.race([opening.catch(() => {}), new Promise((resolve) => setTimeout(resolve, patience))])
}

async function listen(opening: Promise<Response>, said: (message: unknown) => void): Promise<void> {
  const response = await opening
  if (response.ok) for await (const message of messagesOf(response)) said(message)
  else await response.body?.cancel()
}
