import type { AccessToken, AuthError } from '../core/index.ts'
import type { Caller } from './component.ts'

/** One message on its way through the server: who sent it, and whether something on the way refused the sender. */
export interface Exchange extends Caller {
  /**
   * Set when a handler or a scope check refused the caller. As long as nothing of the answer has left, the answer
   * becomes HTTP 401 or 403 (MCP authorization, "Runtime Insufficient Scope Errors").
   */
  refused: AuthError | undefined
}

/** An {@link Exchange} for a caller; without an identity nothing that asks for scopes is open. */
export function exchange(
  auth: AccessToken | undefined,
  covers: (token: AccessToken, scopes: readonly string[]) => boolean,
): Exchange {
  return { auth, refused: undefined, covers: (scopes) => auth !== undefined && covers(auth, scopes) }
}
