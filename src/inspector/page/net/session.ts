import { sessionHeader } from '../../session-header.ts'

/**
 * A program on this machine lets in only the page it was started for. It prints an address with a key behind the `#`, which
 * browsers send to nobody; the page trades the key for the secret of a session, once. The secret is kept for the tab, so
 * that the page can be loaded anew; it opens nothing but that program, and is no token.
 */
const place = 'mcp-bearer-session'

/** Trades the key in the address for a session, when there is one. The address forgets it in any case. */
export async function openSession(base: string): Promise<void> {
  const key = new URLSearchParams(location.hash.slice(1)).get('key')
  if (key === null) return
  history.replaceState(null, '', location.pathname + location.search)
  const answer = await fetch(`${base}open`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
    credentials: 'omit',
  })
  if (!answer.ok) return
  const { session } = (await answer.json()) as { session?: unknown }
  if (typeof session === 'string') sessionStorage.setItem(place, session)
}

/** The secret of the session; `undefined` where none is needed. */
export function sessionSecret(): string | undefined {
  return sessionStorage.getItem(place) ?? undefined
}

/** What every request to a program on this machine carries. */
export function sessionHeaders(): Record<string, string> {
  const secret = sessionSecret()
  return secret === undefined ? {} : { [sessionHeader]: secret }
}
