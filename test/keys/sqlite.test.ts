import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { openKeyStore } from '../../src/apikeys/open-key-store.ts'
import { sqliteKeyStore } from '../../src/apikeys/stores/sqlite.ts'
import { sqliteDriver, sqliteQuery } from '../../src/apikeys/stores/sqlite-driver.ts'
import { sqliteFailure } from '../../src/apikeys/stores/sqlite-failure.ts'
import { closeSqlite, openSqlite } from '../../src/apikeys/stores/sqlite-file.ts'
import { AuthError } from '../../src/core/errors.ts'
import { keyRecord, someAudit } from './key-records.ts'

let folder: string
let file: string
const open: { close(): unknown }[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-sqlite-'))
  file = join(folder, 'keys.db')
})
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
  rmSync(folder, { recursive: true, force: true })
})

async function opened(...given: Parameters<typeof sqliteKeyStore>): Promise<KeyStore> {
  const store = await sqliteKeyStore(...given)
  open.push(store)
  return store
}

/** Fails unless it says that nothing can be told, and shows no path. */
async function expectUnavailable(asked: Promise<unknown>, reason: RegExp): Promise<void> {
  const error = await asked.then(
    (answer) => expect.unreachable(`answered ${inspect(answer)}`),
    (refusal: unknown) => refusal,
  )
  expect(error).toBeInstanceOf(AuthError)
  expect((error as AuthError).code).toBe('verifier_unavailable')
  expect(String((error as AuthError).cause)).toMatch(reason)
  expect(inspect(error)).not.toContain(folder)
}

const modeOf = (path: string) => statSync(path).mode & 0o777

test('the log is written ahead, in full, and writers wait for each other', async () => {
  const database = await openSqlite(file)
  open.push({ close: () => closeSqlite(database) })
  const pragma = (name: string) => sqliteQuery(database, `pragma ${name}`).one()?.[0]
  expect(pragma('journal_mode')).toBe('wal')
  expect(pragma('synchronous')).toBe(2)
  expect(pragma('busy_timeout')).toBe(5000)
})

test('only its owner can read a new database and the files beside it, whatever the umask, and its folder', async () => {
  const before = process.umask(0)
  try {
    const path = join(folder, 'made', 'deep', 'keys.db')
    const store = await opened(path)
    await store.commit({ add: [keyRecord('a')], audit: someAudit })
    expect(readdirSync(join(folder, 'made', 'deep')).sort()).toEqual([
      'keys.db',
      'keys.db-shm',
      'keys.db-wal',
    ])
    for (const end of ['', '-wal', '-shm']) expect(modeOf(path + end), end).toBe(0o600)
    expect(modeOf(join(folder, 'made'))).toBe(0o700)
  } finally {
    process.umask(before)
  }
})

test('a file that exists keeps its permissions, and those beside it get no wider', async () => {
  writeFileSync(file, '', { mode: 0o640 })
  chmodSync(file, 0o640)
  await opened(file)
  for (const end of ['', '-wal', '-shm']) expect(modeOf(file + end), end).toBe(0o640)
})

test('a link that leads nowhere is refused: SQLite would make a file that others can read', async () => {
  const target = join(folder, 'target.db')
  symlinkSync(target, file)
  await expectUnavailable(sqliteKeyStore(file), /cannot be made/)
  expect(existsSync(target)).toBe(false)
})

test('B-100 neither the file nor its log holds a key, its secret part, or an encoding of them', async () => {
  const store = await opened(file)
  const keys = apiKeys({ store })
  const first = await keys.create({ name: 'first', owner: 'alice', scopes: ['a'], metadata: { team: 'one' } })
  const second = await keys.rotate(first.apiKey.id)
  await keys.revoke(second.apiKey.id)
  const texts = ['keys.db', 'keys.db-wal'].map((name) => readFileSync(join(folder, name), 'latin1'))
  // What is looked at is where keys are.
  expect(texts.join('')).toContain(first.apiKey.id)
  for (const { key, apiKey } of [first, second]) {
    const secret = key.slice(key.indexOf(apiKey.id) + apiKey.id.length + 1)
    expect(secret.length).toBeGreaterThan(30)
    for (const shown of [key, secret, secret.slice(0, 12), secret.slice(-12)]) {
      const bytes = Buffer.from(shown)
      const forms = [shown, bytes.toString('hex'), bytes.toString('base64').replace(/.?=*$/, '')]
      for (const text of texts) expect(forms.some((form) => text.includes(form))).toBe(false)
    }
  }
})

test('what is no database, or no file, is unavailable and not empty', async () => {
  writeFileSync(file, 'not a database, but long enough to be looked at\n'.repeat(100))
  await expectUnavailable(sqliteKeyStore(file), /no database \(result code 26\)/)
  const place = join(folder, 'place')
  mkdirSync(place)
  await expectUnavailable(sqliteKeyStore(place), /cannot be opened \(result code 14\)/)
  await expectUnavailable(sqliteKeyStore(join(file, 'below.db')), /cannot be made/)
})

test('a damaged file is unavailable, and not a key that does not exist', async () => {
  const store = await sqliteKeyStore(file)
  const add = Array.from({ length: 500 }, (_, index) => keyRecord(`key${index}`))
  await store.commit({ add, audit: someAudit })
  await store.close()
  const bytes = readFileSync(file)
  // All pages but the first, which holds the schema.
  writeFileSync(file, bytes.fill(0xa5, 4096))
  await expectUnavailable(
    sqliteKeyStore(file).then((damaged) => damaged.find('key7')),
    /damaged|reading rows failed/,
  )
})

test('a database that was closed is whole in its one file', async () => {
  const store = await sqliteKeyStore(file)
  await store.commit({ add: [keyRecord('a')], audit: someAudit })
  await store.close()
  for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true })
  expect((await (await opened(file)).find('a'))?.id).toBe('a')
})

test('a row that makes no sense is unavailable, and shows nothing of itself', async () => {
  const store = await opened(file)
  await store.commit({ add: [keyRecord('a')], audit: someAudit })
  const database = await openSqlite(file)
  open.push({ close: () => closeSqlite(database) })
  database.exec(`update mcp_bearer_keys set scopes = '["' || name`)
  await expectUnavailable(store.find('a'), /^Error: SQLite: what was read makes no sense$/)
  await expectUnavailable(store.list({}), /makes no sense/)
})

test('a file that cannot be written is unavailable to whoever wants to change keys', async () => {
  const before = await sqliteKeyStore(file)
  await before.commit({ add: [keyRecord('a')], audit: someAudit })
  await before.close()
  chmodSync(file, 0o444)
  chmodSync(folder, 0o755)
  // Permissions do not hold for root.
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    const asked = sqliteKeyStore(file).then((store) => {
      open.push(store)
      return store.commit({ add: [keyRecord('b')], audit: someAudit })
    })
    await expectUnavailable(asked, /read-only|cannot be opened/)
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})

test('a database that stays locked is unavailable to those who write; those who read do not wait', async () => {
  const store = await opened(file)
  await store.commit({ add: [keyRecord('a')], audit: someAudit })
  const other = await openSqlite(file)
  open.push({ close: () => closeSqlite(other) })
  other.exec('begin immediate')
  const asked = store.commit({ add: [keyRecord('b')], audit: someAudit })
  await expectUnavailable(asked, /keeps the database locked \(result code 5\)/)
  expect((await store.find('a'))?.id).toBe('a')
  other.exec('rollback')
  expect(await store.commit({ add: [keyRecord('b')], audit: someAudit })).toBe(true)
})

test('after a commit that failed in the middle, nothing of it is there and the next one works', async () => {
  const store = await opened(file)
  const broken = { ...keyRecord('b'), createdAt: 1.5 }
  await expectUnavailable(store.commit({ add: [keyRecord('a'), broken], audit: someAudit }), /result code/)
  expect(await store.find('a')).toBeUndefined()
  expect(await store.commit({ add: [keyRecord('a')], audit: someAudit })).toBe(true)
})

test('failures tell their kind and nothing else; misuse stays what it is', () => {
  const cause = (error: unknown) => String((sqliteFailure(error) as AuthError).cause)
  const full = Object.assign(new Error('/srv/secret.db: disk full'), { errcode: 13 })
  expect(cause(full)).toBe('Error: SQLite: the disk is full (result code 13)')
  // SQLITE_IOERR_WRITE, an extended code.
  expect(cause({ errcode: 778 })).toBe('Error: SQLite: reading or writing the file failed (result code 10)')
  expect(cause(new Error('/srv/secret.db'))).toBe('Error: SQLite: what was read makes no sense')
  const misuse = new TypeError('limit')
  expect(sqliteFailure(misuse)).toBe(misuse)
})

test('whoever has missed very many changes is told that anything may have changed', async () => {
  const store = await opened(file)
  const { cursor } = await store.changes(undefined)
  const revoke = Array.from({ length: 10_001 }, (_, n) => ({ name: `token ${n}`, kind: 'token' as const }))
  await store.commit({ revoke: revoke.slice(1), audit: someAudit })
  expect((await store.changes(cursor)).changes).toHaveLength(10_000)
  await store.commit({ revoke: revoke.slice(0, 1), audit: someAudit })
  const late = await store.changes(cursor)
  expect([late.changes, late.isComplete]).toEqual([[], false])
  expect(await store.changes(late.cursor)).toEqual({ cursor: late.cursor, changes: [], isComplete: true })
})

test('pruning takes as many slices as it needs', async () => {
  let now = 1_800_000_000_000
  const store = await opened(file, { clock: () => now })
  const add = Array.from({ length: 7500 }, (_, n) => keyRecord(`key${n}`, n % 3 ? { revokedAt: 5 } : {}))
  await store.commit({ add, audit: Array.from({ length: 7500 }, () => someAudit[0]!) })
  now += 1000
  await store.commit({ add: [keyRecord('last')], audit: someAudit })
  const counts = await store.prune({ keys: 6, audit: now })
  expect(counts).toEqual({ keys: 5000, changes: 0, audit: 7500, revocations: 0 })
  expect((await store.readAudit({})).map(({ sequence }) => sequence)).toEqual([7501])
  expect((await store.list({ limit: 1000 })).every(({ revokedAt }) => revokedAt === undefined)).toBe(true)
})

test('events since a time are found also when the clock was set back meanwhile', async () => {
  let now = 1_800_000_000_000
  const store = await opened(file, { clock: () => now })
  const times = [0, 50, 20, 60, 10].map((offset) => now + offset)
  for (const time of times) {
    now = time
    await store.appendAudit(someAudit)
  }
  const since = times[0]! + 20
  expect((await store.readAudit({ since })).map(({ sequence }) => sequence)).toEqual([2, 3, 4])
  expect((await store.readAudit({ since, after: 2 })).map(({ sequence }) => sequence)).toEqual([3, 4])
  expect((await store.readAudit({ until: since })).map(({ sequence }) => sequence)).toEqual([1, 5])
})

test('a clock that was set back lets nothing leak, and neither empties nor fills a bucket', async () => {
  let now = 1_800_000_000_000
  const store = await opened(file, { clock: () => now })
  await store.pour('bucket', 4, 10)
  now -= 3_600_000
  expect(await store.pour('bucket', 2, 10)).toEqual({ isPoured: true, level: 6 })
  now += 30_000
  expect(await store.pour('bucket', 1, 10)).toEqual({ isPoured: true, level: 2 })
})

test('misuse is a TypeError that names the option', async () => {
  const wrong: [unknown, unknown, RegExp][] = [
    ['', {}, /file must be/],
    [undefined, {}, /file must be/],
    ['a\0b', {}, /file must be/],
    [file, { clok: 1 }, /unknown option "clok"/],
    [file, { clock: 5 }, /clock must be/],
    [file, { migrate: 'no' }, /migrate must be/],
    [file, { driver: 'better-sqlite3' }, /driver must be/],
  ]
  for (const [path, options, message] of wrong) {
    const asked = sqliteKeyStore(path as string, options as object)
    await expect(asked).rejects.toThrow(message)
    await expect(asked).rejects.toBeInstanceOf(TypeError)
  }
  expect(existsSync(file)).toBe(false)
})

test('the SQLite of the runtime is used where there is one, and asked for by name it is that or an error', async () => {
  const { emitWarning } = process
  if (process.getBuiltinModule('node:sqlite')) {
    expect(await sqliteDriver('node:sqlite')).toBeTypeOf('function')
  } else {
    await expect(sqliteDriver('node:sqlite')).rejects.toThrow(/Node 22\.13 or newer/)
  }
  expect(await sqliteDriver()).toBeTypeOf('function')
  expect(await sqliteDriver('@photostructure/sqlite')).toBeTypeOf('function')
  expect(process.emitWarning).toBe(emitWarning)
})

test('a URL is no path: SQLite would read it as one, and make another file, readable by everybody', async () => {
  for (const name of [`file:${file}`, `file:${file}?nolock=1`]) {
    await expect(sqliteKeyStore(name)).rejects.toThrow(/^sqliteKeyStore: file must be the path/)
    await expect(openKeyStore(`sqlite:${name}`)).rejects.toThrow(/^openKeyStore: db must be/)
  }
  expect(readdirSync(folder)).toEqual([])
})
