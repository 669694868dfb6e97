import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type ApiKeys,
  apiKeys,
  type CreatedApiKey,
  type KeyStore,
  memoryKeyStore,
  openKeyStore,
} from '../../apikeys/index.ts'
import { dataFile } from '../data-folder.ts'

/** The API keys of the demo. They stay, so that a host that was given one works the next time, too. */
export interface DemoKeys {
  readonly store: KeyStore
  readonly keys: ApiKeys
  /** The database, as `--db` takes it. */
  readonly db: string
  /** Made just now, because there was none. */
  readonly first: CreatedApiKey | undefined
  /** Why they are in memory only, when they are. */
  readonly problem: string | undefined
}

/** Whose keys the demo makes, and what they may. */
export const demoKey = { owner: 'alice', scopes: ['reports:read'] } as const

/**
 * Opens the keys of the demo, and makes a first one.
 * @param db as it was asked for; when it was not, a file in the user's data folder, or memory where that cannot be
 */
export async function openDemoKeys(db: string | undefined): Promise<DemoKeys> {
  const { store, place, problem } = db === undefined ? await openUsual() : await opened(db)
  const keys = apiKeys({ store })
  const { keys: usable } = await keys.list(
    { owner: demoKey.owner, status: ['active', 'pending'] },
    { limit: 1 },
  )
  const first =
    usable.length > 0
      ? undefined
      : await keys.create({ name: 'first key', ...demoKey, expiresInSeconds: 90 * 86_400 })
  return { store, keys, db: place, first, problem }
}

interface Opened {
  readonly store: KeyStore
  readonly place: string
  readonly problem?: string | undefined
}

async function opened(place: string): Promise<Opened> {
  return { store: await openKeyStore(place), place }
}

/** The demo has to run on a machine without SQLite or without a home as well. */
async function openUsual(): Promise<Opened & { readonly problem: string | undefined }> {
  const place = dataFile('keys.db')
  try {
    await mkdir(dirname(place), { recursive: true, mode: 0o700 })
    return { ...(await opened(place)), problem: undefined }
  } catch (error) {
    return { store: memoryKeyStore(), place: 'memory:', problem: (error as Error).message }
  }
}
