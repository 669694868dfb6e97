import { access, mkdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import {
  apiKeys,
  type CreatedApiKey,
  type KeyStore,
  memoryKeyStore,
  migrateKeyStore,
  openKeyStore,
} from '../../apikeys/index.ts'
import { redact } from '../../core/index.ts'
import { UsageError } from '../command.ts'
import { shellWord } from '../command-name.ts'
import { dataFile } from '../data-folder.ts'
import { fileOf } from '../keys/database.ts'
import { peppersOf } from '../keys/peppers.ts'
import type { Settings } from './settings.ts'

/** Where the API keys are. */
export interface KeysPlace {
  /** As `openKeyStore` takes it. It may hold a password. */
  readonly db: string
  /** The same to be shown. */
  readonly name: string
  /** Nobody named it: it is made when it is not there, with a first key in it. */
  readonly isUsual: boolean
}

/** The open database. */
export interface GatewayKeys {
  readonly place: KeysPlace
  readonly store: KeyStore
  /** Other gateways may use it as well: it is no file of this machine. */
  readonly isShared: boolean
  /** There is no key in it, so that nobody gets in. */
  readonly isEmpty: boolean
  /** Why they are in memory only, when they are. */
  readonly problem: string | undefined
  /**
   * Makes a first key where nobody named the database, and there is none. Where somebody did, only they know where the
   * output goes.
   */
  first(): Promise<CreatedApiKey | undefined>
}

/**
 * The database that the settings name; when they name no verifier at all, that of `MCP_BEARER_DB`, else a file in the
 * user's data folder. `undefined` when there are to be no keys.
 *
 * @throws UsageError
 */
export function keysPlace({
  keys,
  jwks,
  publicKey,
  introspect,
}: NonNullable<Settings['auth']>): KeysPlace | undefined {
  const isOnly = jwks === undefined && publicKey === undefined && introspect === undefined
  if (keys === undefined && !isOnly) return undefined
  const named = keys ?? process.env.MCP_BEARER_DB
  if (named === undefined || named === '') {
    const db = dataFile('keys.db')
    return { db, name: db, isUsual: true }
  }
  const [, variable] = /^env:(.*)$/s.exec(named) ?? []
  const db = variable === undefined ? named : (process.env[variable] ?? '')
  if (db === '') throw new UsageError('--keys env:NAME names an environment variable that is not set')
  if (db.startsWith('memory:')) throw new UsageError('--keys: a database in memory would have no key in it')
  return { db, name: variable === undefined ? redact(db) : `env:${variable}`, isUsual: false }
}

/** What went into the digests of keys that `mcp-bearer keys` made. */
export function gatewayPeppers(): ReturnType<typeof peppersOf> {
  return peppersOf(process.env.MCP_BEARER_PEPPER)
}

/**
 * Looks whether the database can be opened, and changes nothing.
 * @throws UsageError when it is not there; what the store throws
 */
export async function checkKeys(place: KeysPlace): Promise<void> {
  if (await expectThere(place)) await migrateKeyStore(place.db, { dryRun: true })
}

/** Whether it is there; what is no file is left to whoever opens it. A misspelt path must not become a new database. */
async function expectThere({ db, name, isUsual }: KeysPlace): Promise<boolean> {
  const file = fileOf(db)
  if (file === undefined || (await isThere(file))) return true
  if (isUsual) return false
  throw new UsageError(
    `there is no key database ${name}; this makes one, with a key in it: mcp-bearer keys create --db ${shellWord(name)} --name laptop --owner ${userName()}`,
  )
}

/**
 * Opens the database.
 * @throws UsageError when it is not there; what the store throws
 */
export async function openKeys(place: KeysPlace): Promise<GatewayKeys> {
  await expectThere(place)
  const { store, problem } = place.isUsual
    ? await openUsual(place.db)
    : { store: await openKeyStore(place.db), problem: undefined }
  try {
    const peppers = gatewayPeppers()
    const keys = apiKeys({ store, ...(peppers && { peppers }) })
    // Also those that have ended: whoever revoked the last key wants nobody to have one.
    const { keys: some } = await keys.list({}, { limit: 1 })
    const isEmpty = some.length === 0
    const first = async () =>
      isEmpty && place.isUsual
        ? keys.create({ name: 'first key', owner: userName(), expiresInSeconds: 90 * 86_400 })
        : undefined
    return { place, store, isShared: fileOf(place.db) === undefined, isEmpty, problem, first }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** A first try has to work without SQLite and without a home as well. Keys that are there already are never left out. */
async function openUsual(file: string): Promise<{ store: KeyStore; problem: string | undefined }> {
  const isNew = !(await isThere(file))
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    return { store: await openKeyStore(file), problem: undefined }
  } catch (error) {
    if (!isNew) throw error
    return { store: memoryKeyStore(), problem: (error as Error).message }
  }
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

/** Whose the first key is. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A user of a container may have no name.
    return 'me'
  }
}
