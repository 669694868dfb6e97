/** What kind of credential was judged. */
export type AuthMethod = 'jwt' | 'introspection' | 'static' | 'api_key' | 'custom'

/** Whether a verdict was remembered: `none` where nothing is remembered at all. */
export type CacheUse = 'hit' | 'miss' | 'none'

/**
 * What happens while credentials are judged, for metrics and traces. Emitted when the decision has been made, once for
 * each; nothing in it names a caller, a key or a token. `seconds` is how long it took.
 *
 * | type | meaning |
 * |---|---|
 * | `accepted` | a credential is good |
 * | `refused` | a credential is not good; `reason` is a `RefusalReason` |
 * | `failed` | it cannot be told, or the credential is good and lacks scopes; `error` is an `AuthErrorCode` |
 * | `jwks.fetched` | a key set was fetched, or could not be |
 * | `jwks.stale` | keys older than they should be serve, because the key set cannot be fetched; `age` in seconds |
 * | `cache.hit`, `cache.miss` | a verdict was remembered, or was not |
 * | `introspection` | an authorization server was asked about a token |
 * | `store` | the database of API keys was asked |
 * | `revocation.synced` | what was revoked elsewhere is known up to now; `lag` is the seconds since it was known before |
 * | `fail_open` | what was known last serves, because the database cannot be reached and `serveLastKnownFor` allows it |
 * | `rate_limit` | a key with a limit of its own was presented |
 * | `audit.dropped` | so many audit events could not be kept |
 */
export type AuthEvent =
  | {
      readonly type: 'accepted'
      readonly method: AuthMethod
      readonly cache: CacheUse
      readonly seconds: number
    }
  | {
      readonly type: 'refused'
      readonly method: AuthMethod
      readonly cache: CacheUse
      readonly reason: string
      readonly seconds: number
    }
  | {
      readonly type: 'failed'
      readonly method: AuthMethod
      readonly cache: CacheUse
      readonly error: string
      readonly seconds: number
    }
  | { readonly type: 'jwks.fetched'; readonly result: 'ok' | 'failed'; readonly seconds: number }
  | { readonly type: 'jwks.stale'; readonly age: number }
  | {
      readonly type: 'cache.hit' | 'cache.miss'
      readonly cache: 'token' | 'verdict' | 'key' | 'negative'
    }
  | {
      readonly type: 'introspection'
      readonly result: 'active' | 'inactive' | 'failed'
      readonly seconds: number
    }
  | {
      readonly type: 'store'
      readonly operation: 'find' | 'changes' | 'uses' | 'audit' | 'count'
      readonly result: 'ok' | 'failed'
      readonly seconds: number
    }
  | { readonly type: 'revocation.synced'; readonly source: 'poll' | 'notify'; readonly lag: number }
  | { readonly type: 'fail_open'; readonly component: 'keys' | 'revocations' }
  | { readonly type: 'rate_limit'; readonly result: 'allowed' | 'refused' }
  | { readonly type: 'audit.dropped'; readonly count: number }

/** Where events go. Called on the path of a request: be quick. What it throws is dropped. */
export type EventSink = (event: AuthEvent) => void
