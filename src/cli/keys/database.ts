import { access } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { ApiKeys, By } from '../../apikeys/api-key.ts'
import type { ApiKeysOptions } from '../../apikeys/api-keys.ts'
import type { KeyStore } from '../../apikeys/key-store.ts'
import { UsageError } from '../command.ts'
import { warnOfVisible } from '../credential.ts'
import type { Terminal } from '../terminal.ts'
import type { OpenHow } from './keys-command.ts'
import { peppersOf } from './peppers.ts'

/** The keys of one database, and who works on them. */
export interface KeysDatabase {
  readonly keys: ApiKeys
  readonly store: KeyStore
  /** What `keys` was made with. */
  readonly options: ApiKeysOptions
  /** For the audit log, with what the person said why. */
  by(reason?: string | undefined): By
}

/**
 * Opens the database that `--db` or the environment names. The modules of keys and databases are loaded here, so that
 * commands which need none start without them.
 *
 * @throws UsageError when none is named, or the file does not exist and shall not be made
 */
export async function openKeysDatabase(
  option: string | undefined,
  { make = false, prefix, environment, maxLifetimeSeconds }: OpenHow,
  terminal: Terminal,
): Promise<KeysDatabase> {
  const db = databaseName(option, terminal)
  const peppers = peppersOf(process.env.MCP_BEARER_PEPPER)
  if (!make) await expectThere(db)
  const [{ apiKeys }, { openKeyStore }] = await Promise.all([
    import('../../apikeys/api-keys.ts'),
    import('../../apikeys/open-key-store.ts'),
  ])
  const store = await openKeyStore(db)
  try {
    const options: ApiKeysOptions = {
      store,
      ...(peppers && { peppers }),
      ...(prefix !== undefined && { prefix }),
      ...(environment !== undefined && { environment }),
      ...(maxLifetimeSeconds !== undefined && { policy: { maxLifetimeSeconds } }),
    }
    const by = (reason?: string) => ({ actor: actor(), ...(reason !== undefined && { reason }) })
    return { keys: apiKeys(options), store, options, by }
  } catch (error) {
    await store.close()
    throw error
  }
}

/**
 * What the person calls the database. A password in it is warned of when it was on the command line.
 * @throws UsageError
 */
export function databaseName(option: string | undefined, terminal: Terminal): string {
  const db = option ?? process.env.MCP_BEARER_DB
  if (db === undefined || db === '') {
    throw new UsageError(
      'which database? Give --db FILE or --db postgres://host/name, or set the environment variable MCP_BEARER_DB',
    )
  }
  if (db.startsWith('memory:')) {
    throw new UsageError(
      'a database in memory ends with this command; give --db FILE, or postgres://host/name',
    )
  }
  if (option !== undefined && hasPassword(option)) {
    warnOfVisible('a database password', 'set the environment variable MCP_BEARER_DB', terminal)
  }
  return db
}

/** What a database is called where others may see it: without the user and the password of a URL. */
export function databaseLabel(db: string): string {
  const file = fileOf(db)
  if (file !== undefined) return file
  if (!URL.canParse(db)) return 'PostgreSQL'
  const { protocol, host, pathname } = new URL(db)
  return `${protocol}//${host}${pathname}`
}

/** Whether a password stands in what a database is called. */
export function hasPassword(db: string): boolean {
  if (!/^postgres(?:ql)?:/i.test(db)) return false
  return /:\/\/[^/?#]*:[^/?#]*@/.test(db) || /[?&]password=/i.test(db)
}

/** A database that is only looked at, or changed, is there already. What is no file is left to whoever opens it. */
async function expectThere(db: string): Promise<void> {
  const file = fileOf(db)
  if (file === undefined) return
  try {
    await access(file)
  } catch {
    throw new UsageError(
      'there is no database of that name; look at --db or MCP_BEARER_DB. "mcp-bearer keys create" makes a new one',
    )
  }
}

/** The file of the texts that `openKeyStore` takes for SQLite. */
export function fileOf(db: string): string | undefined {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]+):(.*)$/is.exec(db) ?? []
  switch (scheme.toLowerCase()) {
    case '':
      return db
    case 'sqlite':
      return rest.startsWith('///') ? rest.slice(2) : rest
    case 'file':
      return fileURLToPath(db)
    default:
      return undefined
  }
}

function actor(): NonNullable<By['actor']> {
  try {
    return { type: 'cli', name: userInfo().username }
  } catch {
    // A user of a container may have no name.
    return { type: 'cli', name: `uid ${process.getuid?.() ?? 'unknown'}` }
  }
}
