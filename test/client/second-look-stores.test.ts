import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lchownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import * as files from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogEntry } from 'mcp-bearer'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { withFileLock } from '../../src/client/stores/file-lock.ts'
import { fileTokenStore } from '../../src/client/stores/file-token-store.ts'

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof files>()
  return { ...real, rm: vi.fn(real.rm), open: vi.fn(real.open) }
})

let folder: string
let path: string
let lines: LogEntry[]
const logger = (entry: LogEntry) => void lines.push(entry)

beforeEach(() => {
  lines = []
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-'))
  path = join(folder, 'tokens.json')
})
afterEach(() => {
  vi.mocked(files.rm).mockReset()
  vi.mocked(files.open).mockReset()
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

const ended = { pid: 2 ** 30, place: '' }

/** A lock whose process has ended, as this machine writes it. */
async function leftLock(lock: string): Promise<void> {
  const mark = await withFileLock(lock, 0, async () => JSON.parse(readFileSync(lock, 'utf8')))
  writeFileSync(lock, JSON.stringify({ ...mark, pid: ended.pid }))
}

describe('a lock', () => {
  it('that was left behind and cannot be removed ends the wait in time', async () => {
    const lock = join(folder, 'lock')
    await leftLock(lock)
    const { rm } = await vi.importActual<typeof files>('node:fs/promises')
    let attempts = 0
    // A folder like /tmp: what belongs to another user stays.
    vi.mocked(files.rm).mockImplementation(async (target, options) => {
      if (target !== lock) return rm(target, options)
      attempts += 1
      if (attempts > 100) return rm(target, options)
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
    })
    const error = await withFileLock(lock, 50, async () => 'got it').catch((failure: unknown) => failure)
    expect(error).toMatchObject({ code: 'token_unavailable' })
    expect(attempts).toBeLessThan(100)
  })

  it('that is a pipe without a writer is not waited for', async () => {
    const lock = join(folder, 'lock')
    execFileSync('mkfifo', [lock])
    const error = await withFileLock(lock, 50, async () => 'got it').catch((failure: unknown) => failure)
    expect(error).toMatchObject({ code: 'token_unavailable' })
  })

  it('that cannot be written to its end is not left behind', async () => {
    const lock = join(folder, 'lock')
    const { open } = await vi.importActual<typeof files>('node:fs/promises')
    vi.mocked(files.open).mockImplementation(async (...given) => {
      const file = await open(...given)
      vi.spyOn(file, 'writeFile').mockRejectedValue(Object.assign(new Error('full'), { code: 'ENOSPC' }))
      return file
    })
    await expect(withFileLock(lock, 0, async () => 'got it')).rejects.toThrow('ENOSPC')
    expect(existsSync(lock)).toBe(false)
  })
})

describe('the file', () => {
  it('takes what it left unfinished away, and no file of anybody else', async () => {
    const others = ['tokens.json.backup.tmp', `tokens.json.old.${crypto.randomUUID()}.tmp`, 'tokens.json.tmp']
    const own = `tokens.json.${crypto.randomUUID()}.tmp`
    for (const name of [...others, own]) writeFileSync(join(folder, name), 'x')
    await fileTokenStore(path, { logger }).save('key', { accessToken: 'access-0123456789' })
    expect(readdirSync(folder).sort()).toEqual(['tokens.json', ...others].sort())
  })

  it('keeps refresh tokens when there are too many access tokens', async () => {
    const store = fileTokenStore(path, { logger })
    await store.save('refresh', { accessToken: 'none', expiresAt: 0, refreshToken: 'refresh-0123456789' })
    const accessToken = 'a'.repeat(300_000)
    for (const key of ['one', 'two', 'three', 'four']) await store.save(key, { accessToken })
    expect(await store.load('refresh')).toMatchObject({ refreshToken: 'refresh-0123456789' })
    expect(await store.load('one')).toBeUndefined()
    expect(await store.load('four')).toEqual({ accessToken })
  })

  it('that a link of another user leads to is left alone', async () => {
    const precious = join(folder, 'precious')
    writeFileSync(precious, 'not to be lost')
    symlinkSync(precious, path)
    // The administrator gives the link away; anybody else becomes somebody else.
    if (process.getuid?.() === 0) lchownSync(path, 12_345, 12_345)
    else vi.spyOn(process, 'getuid').mockReturnValue(12_345)
    const store = fileTokenStore(path, { logger })
    expect(await store.load('key')).toBeUndefined()
    await store.save('key', { accessToken: 'access-0123456789' }).catch(() => {})
    expect(readFileSync(precious, 'utf8')).toBe('not to be lost')
  })
})
