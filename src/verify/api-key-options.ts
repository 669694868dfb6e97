import { checkPrefix } from '../apikeys/format.ts'
import { type KeyHasher, keyHasher, type Pepper } from '../apikeys/hash.ts'
import type { KeyEnvironment } from '../apikeys/key-record.ts'
import type { KeyStore } from '../apikeys/key-store.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import { scopeList } from '../core/scopes.ts'

/** Which API keys are good. */
export interface ApiKeyVerifierOptions {
  /** Where the keys are. Stays yours: whoever opened it closes it, after the verifier. */
  readonly store: KeyStore
  /** What keys begin with. Default: anything. With it, keys of other projects are refused without a look-up. */
  readonly prefix?: string
  /** The kind of keys that are taken. Default: `live`. */
  readonly environment?: KeyEnvironment
  /** The name of this server, usually its URL. Keys must have it among their audiences; without it, keys that have any are refused. Default: none, for a store that only this server uses. */
  readonly audience?: string
  /** Scopes every key needs. Default: none. */
  readonly requiredScopes?: readonly string[]
  /** Secrets that went into the digests of the keys, the newest first. Default: none. */
  readonly peppers?: readonly Pepper[]
  /** Also takes keys whose digest was made without a pepper; they get one when they are used. While it is set, whoever writes to the database can let himself in. Only with `peppers`. Default: false. */
  readonly unpeppered?: boolean
  /** Also takes keys that others made and `apiKeys().import` took over, of whatever shape; anything but a JWT is then looked up. Default: false. */
  readonly imported?: boolean
  /** Seconds for which a key that was good still is while the store cannot be reached. 0 to 3600. Whatever happens to it meanwhile is not noticed. Default: 0, never. */
  readonly serveLastKnownFor?: number
  /** Seconds after which a key is read again, whatever has been heard of it. 0 to 5. Default: 5. */
  readonly maxAge?: number
}

/** The options, checked, with nothing left open. Times are milliseconds. */
export interface KeySettings {
  readonly store: KeyStore
  readonly prefix: string | undefined
  readonly environment: KeyEnvironment
  readonly audience: string | undefined
  readonly requiredScopes: readonly string[]
  readonly hasher: KeyHasher
  readonly isImported: boolean
  readonly lastKnownFor: number
  readonly maxAge: number
}

/** All options. */
export const keyOptionNames = [
  'store',
  'prefix',
  'environment',
  'audience',
  'requiredScopes',
  'peppers',
  'unpeppered',
  'imported',
  'serveLastKnownFor',
  'maxAge',
] as const satisfies readonly (keyof ApiKeyVerifierOptions)[]

/** @throws TypeError naming the option that is missing, unknown, of the wrong type or out of bounds */
export function readKeyOptions(owner: string, options: ApiKeyVerifierOptions): KeySettings {
  checkOptions(owner, options, keyOptionNames)
  const { store, prefix, environment = 'live', audience, requiredScopes = [] } = options
  const { peppers, unpeppered = false, imported = false, serveLastKnownFor = 0, maxAge = 5 } = options
  checkStore(owner, store)
  if (environment !== 'live' && environment !== 'test') {
    throw new TypeError(`${owner}: environment must be 'live' or 'test'`)
  }
  if (audience !== undefined && (typeof audience !== 'string' || audience === '')) {
    throw new TypeError(`${owner}: audience must be a non-empty string`)
  }
  if (typeof unpeppered !== 'boolean') throw new TypeError(`${owner}: unpeppered must be true or false`)
  if (unpeppered && peppers === undefined)
    throw new TypeError(`${owner}: unpeppered has no effect without peppers`)
  if (typeof imported !== 'boolean') throw new TypeError(`${owner}: imported must be true or false`)
  return {
    store,
    prefix: prefix === undefined ? undefined : checkPrefix(owner, prefix),
    environment,
    audience,
    requiredScopes: scopeList(`${owner}: requiredScopes`, requiredScopes),
    hasher: keyHasher(peppers, unpeppered),
    isImported: imported,
    lastKnownFor: numberBetween(`${owner}: serveLastKnownFor`, serveLastKnownFor, 0, 3600) * 1000,
    maxAge: numberBetween(`${owner}: maxAge`, maxAge, 0, 5) * 1000,
  }
}

/** What is asked of a store while keys are verified. */
const methods = [
  'time',
  'find',
  'list',
  'changes',
  'onChange',
  'commit',
  'recordUses',
  'takeUses',
  'pour',
  'appendAudit',
] as const satisfies readonly (keyof KeyStore)[]

/** A promise of a store is the usual mistake. */
function checkStore(owner: string, store: unknown): void {
  const given = store as Partial<KeyStore> | null | undefined
  const missing = methods.find((name) => typeof given?.[name] !== 'function')
  if (missing === undefined) return
  throw new TypeError(
    store instanceof Promise
      ? `${owner}: store is a promise; await it`
      : `${owner}: store must be a KeyStore, as openKeyStore or memoryKeyStore gives it; it has no method ${missing}`,
  )
}
