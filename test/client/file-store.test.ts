import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
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
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import type { LogEntry } from 'mcp-bearer'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { fileTokenStore } from '../../src/client/stores/file-token-store.ts'
import { storeProgram } from './store-program.ts'

const key = 'https://mcp.example.com/mcp'
const tokens = { accessToken: 'access-0123456789', refreshToken: 'refresh-0123456789' }
let folder: string
let path: string
let program: Awaited<ReturnType<typeof storeProgram>>
const children = new Set<ChildProcess>()
let lines: LogEntry[]
const logger = (entry: LogEntry) => void lines.push(entry)

beforeAll(async () => {
  program = await storeProgram()
})
afterAll(() => program.remove())
beforeEach(() => {
  lines = []
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-'))
  path = join(folder, 'private', 'tokens.json')
})
afterEach(() => {
  vi.unstubAllEnvs()
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  rmSync(folder, { recursive: true, force: true })
})

/** Another process that works on the store. */
function start(what: string, name = 'some'): ChildProcess {
  const child = spawn(process.execPath, [program.file, path, what, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  return child
}

async function ended(child: ChildProcess): Promise<unknown> {
  const [code] = await once(child, 'exit')
  return code
}

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)
const document = () => JSON.parse(readFileSync(path, 'utf8'))

describe('E-60 the file', () => {
  it('can be read by its owner only, and so can its folder', async () => {
    await fileTokenStore(path).save(key, tokens)
    expect([modeOf(path), modeOf(join(folder, 'private'))]).toEqual(['600', '700'])
  })

  it('is found again by the next process, in the home folder, or by a URL', async () => {
    vi.stubEnv('HOME', folder)
    vi.stubEnv('USERPROFILE', folder)
    await fileTokenStore('~/private/tokens.json').save(key, tokens)
    expect(await fileTokenStore(pathToFileURL(path)).load(key)).toEqual(tokens)
  })

  it('is not touched when the store is made, nor made when it is only read', async () => {
    expect(await fileTokenStore(path).load(key)).toBeUndefined()
    expect(readdirSync(folder)).toEqual([])
  })

  it('is alone in its folder when nobody writes', async () => {
    const store = fileTokenStore(path)
    await store.exclusive(key, () => store.save(key, tokens))
    expect(readdirSync(join(folder, 'private'))).toEqual(['tokens.json'])
  })

  it('is replaced where a symbolic link leads', async () => {
    mkdirSync(join(folder, 'private'))
    writeFileSync(join(folder, 'elsewhere.json'), '{"version":1,"entries":{}}', { mode: 0o600 })
    symlinkSync(join('..', 'elsewhere.json'), path)
    await fileTokenStore(path).save(key, tokens)
    expect(readFileSync(join(folder, 'elsewhere.json'), 'utf8')).toContain(tokens.accessToken)
    expect(await fileTokenStore(path).load(key)).toEqual(tokens)
  })

  it('stays below a mebibyte by forgetting what was saved longest ago', async () => {
    const store = fileTokenStore(path)
    const large = { accessToken: 'a'.repeat(300_000) }
    for (const name of ['one', 'two', 'three']) await store.save(name, large)
    await store.save('one', large)
    await store.save('four', large)
    expect(statSync(path).size).toBeLessThan(1_048_577)
    expect(Object.keys(document().entries)).toEqual(['three', 'one', 'four'])
  })
})

describe('a file that cannot be trusted', () => {
  const good = () => JSON.stringify({ version: 1, entries: { [key]: tokens } })
  const prepare = (text: string, mode = 0o600) => {
    mkdirSync(join(folder, 'private'))
    writeFileSync(path, text)
    chmodSync(path, mode)
  }

  it.each([0o640, 0o604, 0o644])(
    'that others can read (%o) is locked up, reported once, and used',
    async (mode) => {
      prepare(good(), mode)
      const store = fileTokenStore(path, { logger })
      expect(await store.load(key)).toEqual(tokens)
      expect(await store.load(key)).toEqual(tokens)
      expect(modeOf(path)).toBe('600')
      expect(lines).toMatchObject([{ level: 'warn', event: 'token_store_exposed', details: { path } }])
    },
  )

  it.each([
    ['that others could have written', () => prepare(good(), 0o660), 'can be written by others'],
    ['that everybody could have written', () => prepare(good(), 0o602), 'can be written by others'],
    ['that is cut off', () => prepare(good().slice(0, -9)), 'does not hold what was written there'],
    ['that is empty', () => prepare(''), 'does not hold what was written there'],
    ['that is a list', () => prepare('[]'), 'does not hold what was written there'],
    ['of another version', () => prepare(good().replace('1', '2')), 'does not hold what was written there'],
    ['without entries', () => prepare('{"version":1}'), 'does not hold what was written there'],
    ['that is too large', () => prepare(' '.repeat(1_048_577)), 'is larger than 1048576 bytes'],
  ])('%s is reported once and counts as empty, until the next is saved', async (_which, make, reason) => {
    make()
    const store = fileTokenStore(path, { logger })
    expect(await store.load(key)).toBeUndefined()
    expect(await store.load(key)).toBeUndefined()
    expect(lines).toMatchObject([{ level: 'warn', event: 'token_store_ignored', details: { path } }])
    expect(lines[0]?.message).toContain(`${path} ${reason}`)
    expect(JSON.stringify(lines)).not.toMatch(/access-|refresh-/)
    await store.save('other', tokens)
    expect(document()).toEqual({ version: 1, entries: { other: tokens } })
    expect(modeOf(path)).toBe('600')
  })

  it.each([
    ['no access token', { refreshToken: 'refresh-0123456789' }],
    ['an access token that is no text', { accessToken: 7 }],
    ['an expiry that is no number', { ...tokens, expiresAt: '2026' }],
    ['scopes that are no list', { ...tokens, scopes: 'files:read' }],
    ['scopes that are no texts', { ...tokens, scopes: [7] }],
    ['a refresh token that is no text', { ...tokens, refreshToken: {} }],
    ['nothing', null],
  ])('an entry with %s is left out, and no other', async (_what, entry) => {
    prepare(JSON.stringify({ version: 1, entries: { [key]: entry, other: tokens } }))
    const store = fileTokenStore(path, { logger })
    expect(await store.load(key)).toBeUndefined()
    expect(await store.load('other')).toEqual(tokens)
  })

  it('members nobody knows are not passed on', async () => {
    prepare(JSON.stringify({ version: 1, entries: { [key]: { ...tokens, extra: 'x' } } }))
    expect(await fileTokenStore(path).load(key)).toEqual(tokens)
  })

  it('of another user counts as empty', async () => {
    prepare(good())
    // The administrator gives the file away; anybody else becomes somebody else.
    if (process.getuid?.() === 0) chownSync(path, 12_345, 12_345)
    else vi.spyOn(process, 'getuid').mockReturnValue(12_345)
    const store = fileTokenStore(path, { logger })
    expect(await store.load(key)).toBeUndefined()
    expect(lines[0]?.message).toContain('belongs to another user')
    vi.restoreAllMocks()
  })
})

describe('what cannot be written', () => {
  it('is an AuthError that names the file and shows no token', async () => {
    writeFileSync(join(folder, 'private'), 'a file where a folder should be')
    const store = fileTokenStore(path, { logger })
    for (const work of [() => store.save(key, tokens), () => store.exclusive(key, async () => 'never')]) {
      const error = await work().then(String, (failure) => failure)
      expect(error).toMatchObject({ name: 'AuthError', code: 'token_unavailable' })
      expect(error.message).toContain(path)
      expect(inspect(error, { showHidden: true, depth: Infinity })).not.toMatch(/access-|refresh-/)
    }
  })

  it('leaves nothing behind', async () => {
    mkdirSync(path, { recursive: true })
    await expect(fileTokenStore(path, { logger }).save(key, tokens)).rejects.toMatchObject({
      code: 'token_unavailable',
    })
    expect(readdirSync(join(folder, 'private'))).toEqual(['tokens.json'])
  })
})

describe('several processes', () => {
  it('FL-91 ten that write lose nothing', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `process ${index}`)
    const codes = await Promise.all(names.map((name) => ended(start('save', name))))
    expect(codes).toEqual(names.map(() => 0))
    const store = fileTokenStore(path)
    for (const name of names) {
      for (let n = 0; n < 5; n++) {
        expect(await store.load(`${name}/${n}`)).toEqual({ accessToken: `token-${name}-${n}` })
      }
    }
    expect(readdirSync(join(folder, 'private'))).toEqual(['tokens.json'])
  })

  it('FL-84 work for one key is done by one at a time', async () => {
    expect(await Promise.all([start('count'), start('count'), start('count')].map(ended))).toEqual([0, 0, 0])
    expect((await fileTokenStore(path).load(key))?.accessToken).toBe('15')
  })

  it('one that is killed while it works holds up nobody', async () => {
    const child = start('hold')
    await once(child.stdout!, 'data')
    const store = fileTokenStore(path)
    const waiting = store.exclusive(key, async () => 'mine')
    // Other keys are free, and so is the file.
    expect(await store.exclusive('other', async () => 'free')).toBe('free')
    await store.save(key, tokens)
    child.kill('SIGKILL')
    expect(await waiting).toBe('mine')
  })

  it('one that works too long is an error for those who wait', async () => {
    await once(start('hold').stdout!, 'data')
    const store = fileTokenStore(path, { wait: 100 })
    await expect(store.exclusive(key, async () => 'never')).rejects.toMatchObject({
      code: 'token_unavailable',
    })
  })

  it('E-60 one that is killed while it writes leaves the old file or the new one', async () => {
    const store = fileTokenStore(path, { logger })
    await store.save(key, tokens)
    for (let time = 0; time < 5; time++) {
      const child = start('write', `writer ${time}`)
      await once(child.stdout!, 'data')
      // Somewhere in a write: it does nothing else.
      child.kill('SIGKILL')
      await ended(child)
      expect(await store.load(key)).toEqual(tokens)
      await store.save('after', { accessToken: String(time) })
    }
    expect(lines).toEqual([])
    expect(readdirSync(join(folder, 'private'))).toEqual(['tokens.json'])
  })

  it('what a killed one has left is removed by the next', async () => {
    mkdirSync(join(folder, 'private'))
    const left = join(folder, 'private', 'tokens.json.01234567-89ab-cdef-0123-456789abcdef.tmp')
    writeFileSync(left, tokens.accessToken)
    writeFileSync(join(folder, 'private', 'other.tmp'), '')
    await fileTokenStore(path).save(key, tokens)
    expect(existsSync(left)).toBe(false)
    expect(existsSync(join(folder, 'private', 'other.tmp'))).toBe(true)
  })
})

it('misuse is a TypeError', () => {
  expect(() => fileTokenStore('')).toThrow('fileTokenStore: path must be the path of a file')
  expect(() => fileTokenStore(path, { mode: 0o644 } as object)).toThrow('unknown option "mode"')
  expect(() => fileTokenStore(path, { wait: -1 })).toThrow('fileTokenStore: wait must be a number')
  expect(() => fileTokenStore(path, { logger: 'stderr' } as object)).toThrow(TypeError)
})
