import type { Logger } from '../../core/index.ts'
import { memoryTokenStore, type StoredTokens, type TokenStore } from '../stores/token-store.ts'
import { isRefreshToken } from './token-answer.ts'

/** Where one source has its tokens: what an access token opens is one server, and a refresh token is for all of them. */
export interface TokenShelf {
  /** Runs the work while nobody else, other processes included, gets tokens of the same kind. */
  exclusive<T>(server: string, work: () => Promise<T>): Promise<T>
  load(server: string): Promise<StoredTokens | undefined>
  /** Never rejects: what cannot be stored is remembered here, and the operator told once. */
  save(server: string, tokens: StoredTokens): Promise<void>
  refreshToken(): Promise<string | undefined>
  /** Never rejects either. `undefined` removes it. */
  saveRefreshToken(token: string | undefined): Promise<void>
}

/** What a {@link TokenShelf} is made of. */
export interface ShelfParts {
  /** Default: in memory. */
  readonly store?: TokenStore | undefined
  /** Names the source in the store: issuer, client, grant. Nothing secret. Asked once. */
  readonly key: () => Promise<string>
  /** What else access tokens differ by, and the refresh token does not: resource and scopes. */
  readonly variant: string
  /** There is a refresh token: then one acquisition at a time for all servers, for it may be good for one only. */
  readonly refreshes: boolean
  readonly log: Logger
}

/** Makes a {@link TokenShelf}. */
export function tokenShelf({ store: given, key, variant, refreshes, log }: ShelfParts): TokenShelf {
  const store = given ?? memoryTokenStore()
  let named: Promise<string> | undefined
  /** What the store did not take: newer than what it has. */
  const unsaved = new Map<string, StoredTokens | undefined>()
  let isTold = false

  const base = (): Promise<string> => {
    named ??= key().catch((error: unknown) => {
      named = undefined
      throw error
    })
    return named
  }
  const keyOf = async (server: string): Promise<string> => `${await base()} ${server} ${variant}`
  const load = async (at: string): Promise<StoredTokens | undefined> =>
    unsaved.has(at) ? unsaved.get(at) : sound(await store.load(at))
  const save = async (at: string, tokens: StoredTokens | undefined): Promise<void> => {
    try {
      await store.save(at, tokens)
      unsaved.delete(at)
    } catch {
      // What it threw may hold what it was given.
      unsaved.set(at, tokens)
      if (isTold) return
      isTold = true
      const message =
        'The token store does not save; tokens are kept in memory, and lost when this process ends'
      log({ level: 'warn', event: 'token_store_failed', message })
    }
  }

  return {
    async exclusive(server, work) {
      return store.exclusive(refreshes ? await base() : await keyOf(server), work)
    },
    load: async (server) => load(await keyOf(server)),
    async save(server, tokens) {
      // Who uses it has it in memory already; nothing else would ever take it out of there.
      if (given !== undefined) await save(await keyOf(server), tokens)
    },
    refreshToken: async () => (await load(await base()))?.refreshToken,
    async saveRefreshToken(refreshToken) {
      await save(await base(), refreshToken === undefined ? undefined : { ...noAccess, refreshToken })
    },
  }
}

/** What a store of another maker gives may be `null`, or broken: then it is nothing, and there will be something better. */
function sound(stored: unknown): StoredTokens | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined
  const { accessToken, refreshToken } = stored as Partial<Record<keyof StoredTokens, unknown>>
  if (typeof accessToken !== 'string') return undefined
  const isUsable = typeof refreshToken === 'string' && isRefreshToken(refreshToken)
  return isUsable ? (stored as StoredTokens) : { ...(stored as StoredTokens), refreshToken: undefined }
}

/** A refresh token stands alone: whose access token it came with does not matter, and that one may be of another server. */
const noAccess = { accessToken: 'none', expiresAt: 0 } as const
