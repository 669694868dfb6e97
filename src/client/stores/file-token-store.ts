import { type LogEntry, type Logger, stderrLogger, unfailing } from '../../core/index.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import { sha256 } from '../../core/runtime.ts'
import { withFileLock } from './file-lock.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { writePrivateFile } from './private-file.ts'
import { expandHome, filePath, readSecretFile, unwritable, withFile } from './secret-file.ts'
import { frozenTokens, type StoredTokens, type TokenStore } from './token-store.ts'

/** Options of {@link fileTokenStore}. */
export interface FileTokenStoreOptions {
  /** Told once of each kind of trouble with the file. Default: one line to standard error. */
  readonly logger?: Logger | undefined
  /** Milliseconds at most to wait for another process that renews the same tokens. Default: 60000. */
  readonly wait?: number | undefined
}

/** Bytes. What was saved longest ago is dropped to stay below, refresh tokens last. */
const mostBytes = 1_048_576

/**
 * A {@link TokenStore} in one JSON file, shared by any number of processes (MCP authorization "Token Theft", RFC 9700
 * section 4.14). Only its owner can read it (0600, in a folder that is made with 0700), and it is replaced as a whole:
 * a crash leaves the old file or the new one. Locks are files beside it; those of a killed process are taken away. Not
 * for browsers.
 *
 * A file that others can read is locked up and reported; one that others could have written, or that cannot be read,
 * is reported and counts as empty: tokens are acquired anew then. The tokens are not encrypted.
 *
 * @param path a leading `~` is the home folder; a relative one begins at the working directory
 * @returns a {@link TokenStore}, made without any input or output; its methods throw an `AuthError` with code
 *   `token_unavailable` that names the file when it cannot be written, or is locked for too long
 * @throws TypeError when the path or an option is wrong
 *
 * @example
 * ```ts
 * import { fileTokenStore } from 'mcp-bearer/client'
 *
 * const store = fileTokenStore('~/.config/my-host/tokens.json')
 * const tokens = await store.load('https://mcp.example.com/mcp')
 * ```
 */
export function fileTokenStore(path: string | URL, options: FileTokenStoreOptions = {}): TokenStore {
  const file = filePath('fileTokenStore: path', path)
  checkOptions('fileTokenStore', options, ['logger', 'wait'])
  const wait = numberBetween('fileTokenStore: wait', options.wait ?? 60_000, 0, Number.MAX_SAFE_INTEGER)
  const warn = oncePerEvent(unfailing(options.logger ?? stderrLogger), file)
  const writing = oneAtATime()
  const working = oneAtATime()

  return Object.freeze({
    async load(key) {
      return (await readEntries(await resolved(file), warn)).get(key)
    },
    save: async (key, tokens) =>
      writing('', async () => {
        const target = await prepared(file)
        await withFileLock(`${target}.lock`, wait, async () => {
          const entries = await readEntries(target, warn)
          // What is saved last stands last.
          entries.delete(key)
          if (tokens !== undefined) entries.set(key, frozenTokens(tokens))
          await replace(target, textOf(entries))
        })
      }),
    exclusive: async (key, work) =>
      working(key, async () => {
        // A key may hold what no name of a file can.
        const name = sha256(key)?.slice(0, 32)
        return withFileLock(`${await prepared(file)}.${name}.lock`, wait, work)
      }),
  } satisfies TokenStore)
}

type Warn = (event: string, message: string) => void

function oncePerEvent(log: Logger, path: string): Warn {
  const told = new Set<string>()
  return (event, message) => {
    if (told.has(event)) return
    told.add(event)
    log({ level: 'warn', event, message, details: { path } } satisfies LogEntry)
  }
}

/**
 * Where the file is, or will be. A symbolic link stays one: what it leads to is replaced. One that another user has put
 * there, in a folder like `/tmp`, is not followed: it could lead to any file of ours.
 */
async function resolved(file: string): Promise<string> {
  const { lstat, realpath } = await import('node:fs/promises')
  const { resolve } = await import('node:path')
  const path = resolve(await expandHome(file))
  const link = await lstat(path).catch(() => undefined)
  const owner = process.getuid?.()
  const isForeign = link?.isSymbolicLink() && owner !== undefined && link.uid !== owner && link.uid !== 0
  return isForeign ? path : realpath(path).catch(() => path)
}

/** The same, with the folder for it. One that is there already is the business of whoever made it. */
async function prepared(file: string): Promise<string> {
  const { mkdir } = await import('node:fs/promises')
  const { dirname } = await import('node:path')
  const target = await resolved(file)
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unwritable(target, error)
  }
  return target
}

async function readEntries(target: string, warn: Warn): Promise<Map<string, StoredTokens>> {
  const found = await readSecretFile(target, mostBytes)
  const ignored = (reason: string): Map<string, StoredTokens> => {
    warn('token_store_ignored', `The token store ${target} ${reason}; it is taken for empty`)
    return new Map()
  }
  if ('fault' in found) return found.code === 'ENOENT' ? new Map() : ignored(found.fault)
  // Tokens somebody else has put there would make this client act for them.
  if (found.isForeign) return ignored('belongs to another user')
  if ((found.others & 2) !== 0) return ignored('can be written by others')
  if ((found.others & 4) !== 0) {
    warn('token_store_exposed', `Others could read the token store ${target}; its mode is 0600 from now on`)
    const { chmod } = await import('node:fs/promises')
    await chmod(target, 0o600).catch(() => {})
  }
  return parseEntries(found.text) ?? ignored('does not hold what was written there')
}

const version = 1

function textOf(entries: Map<string, StoredTokens>): string {
  for (;;) {
    const text = `${JSON.stringify({ version, entries: Object.fromEntries(entries) }, null, 2)}\n`
    const keys = [...entries.keys()]
    // A refresh token may be the only way to more, and one that does not rotate was saved long ago.
    const oldest = keys.find((key) => entries.get(key)?.refreshToken === undefined) ?? keys[0]
    if (Buffer.byteLength(text) <= mostBytes || oldest === undefined) return text
    entries.delete(oldest)
  }
}

function parseEntries(text: string): Map<string, StoredTokens> | undefined {
  try {
    const document: unknown = JSON.parse(text)
    if (!isObject(document) || document.version !== version || !isObject(document.entries)) return undefined
    const entries = Object.entries(document.entries)
    return new Map(
      entries.flatMap(([key, tokens]) => (isTokens(tokens) ? [[key, frozenTokens(tokens)]] : [])),
    )
  } catch {
    // The parser's message would quote the text.
    return undefined
  }
}

function isTokens(value: unknown): value is StoredTokens {
  if (!isObject(value)) return false
  const { accessToken, expiresAt, refreshToken, scopes } = value
  return (
    typeof accessToken === 'string' &&
    (expiresAt === undefined || Number.isFinite(expiresAt)) &&
    (refreshToken === undefined || typeof refreshToken === 'string') &&
    (scopes === undefined || (Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string')))
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Replaces the file, all of it or nothing. Whoever calls holds the lock. */
async function replace(target: string, text: string): Promise<void> {
  try {
    await removeLeftovers(target)
    await writePrivateFile(target, text)
  } catch (error) {
    throw unwritable(target, error)
  }
  await syncFolder(target)
}

/** What {@link writePrivateFile} calls a file that is not finished. */
const unfinished = /^\.[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\.tmp$/

/** What writers that were killed have left. Files of others may begin with the same name. */
async function removeLeftovers(target: string): Promise<void> {
  const { readdir, rm } = await import('node:fs/promises')
  const { basename, dirname, join } = await import('node:path')
  const folder = dirname(target)
  const own = basename(target)
  const names = (await readdir(folder)).filter(
    (name) => name.startsWith(own) && unfinished.test(name.slice(own.length)),
  )
  await Promise.all(names.map((name) => rm(join(folder, name), { force: true })))
}

/** Makes the new name last. Not everywhere can a folder be synchronized; then the system does it in its own time. */
async function syncFolder(target: string): Promise<void> {
  const { dirname } = await import('node:path')
  try {
    await withFile(dirname(target), 'r', (folder) => folder.sync())
  } catch {
    // The file itself is complete either way.
  }
}
