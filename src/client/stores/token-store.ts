import { oneAtATime } from './one-at-a-time.ts'

/** What a {@link TokenStore} keeps of one acquisition. All of it is secret. */
export interface StoredTokens {
  readonly accessToken: string
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | undefined
  readonly refreshToken?: string | undefined
  /** Granted, as far as the authorization server said. */
  readonly scopes?: readonly string[] | undefined
}

/**
 * Where a token source keeps what it got, so that the next start, or another process, does not ask for it again. A
 * rotated refresh token is saved before the new access token is used (RFC 9700 section 4.14).
 */
export interface TokenStore {
  /** The tokens under a key; `undefined` when there are none, or they cannot be read. */
  load(key: string): Promise<StoredTokens | undefined>
  /** Replaces what is under a key, all of it or nothing; `undefined` removes it. */
  save(key: string, tokens: StoredTokens | undefined): Promise<void>
  /** Runs the work while nobody else who shares the store runs any for the same key, other processes included. */
  exclusive<T>(key: string, work: () => Promise<T>): Promise<T>
}

/**
 * A {@link TokenStore} in the memory of this process (MCP authorization "Token Theft": what is not written cannot be
 * read). For several sources that share tokens, and for tests.
 *
 * @example
 * ```ts
 * import { memoryTokenStore } from 'mcp-bearer/client'
 *
 * const store = memoryTokenStore()
 * await store.save('https://mcp.example.com/mcp', { accessToken: 'sk-abc123' })
 * ```
 */
export function memoryTokenStore(): TokenStore {
  const entries = new Map<string, StoredTokens>()
  return Object.freeze({
    load: async (key) => entries.get(key),
    async save(key, tokens) {
      if (tokens === undefined) entries.delete(key)
      else entries.set(key, frozenTokens(tokens))
    },
    exclusive: oneAtATime(),
  } satisfies TokenStore)
}

/** A copy of the members that are kept. What the caller does with the original later does not change it. */
export function frozenTokens({ accessToken, expiresAt, refreshToken, scopes }: StoredTokens): StoredTokens {
  return Object.freeze({
    accessToken,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(refreshToken !== undefined && { refreshToken }),
    ...(scopes !== undefined && { scopes: Object.freeze([...scopes]) }),
  })
}
