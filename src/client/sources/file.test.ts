import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LogEntry } from '../../core/index.ts'
import { fileToken } from './file.ts'

const request = { url: 'https://mcp.example.com/mcp' }
const logger = () => {}
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-'))
  path = join(folder, 'token')
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

function write(text: string | Buffer, mode = 0o600): void {
  writeFileSync(path, text)
  chmodSync(path, mode)
}

describe('E-10 what is read', () => {
  it.each(['sk-abc123', 'sk-abc123\n', '\r\n "Bearer sk-abc123" \r\n', '\uFEFFsk-abc123'])(
    '%j',
    async (text) => {
      write(text)
      expect(await fileToken(path).token(request)).toBe('sk-abc123')
    },
  )

  it('each request sees the file as it is then', async () => {
    write('sk-one')
    const source = fileToken(path)
    expect(await source.token(request)).toBe('sk-one')
    // Of the same length, and within the same tick of a coarse file system.
    write('sk-two')
    expect(await source.token(request)).toBe('sk-two')
  })

  it('a container mount rotates by a symbolic link to another folder', async () => {
    for (const version of ['one', 'two']) {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, 'token'), `sk-${version}`, { mode: 0o600 })
    }
    symlinkSync('one', join(folder, '..data'))
    symlinkSync(join('..data', 'token'), path)
    const source = fileToken(path, { logger })
    expect(await source.token(request)).toBe('sk-one')
    symlinkSync('two', join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    expect(await source.token(request)).toBe('sk-two')
  })

  it('a file that is empty for a moment is read once more', async () => {
    write('')
    // The wait between the two looks is when the other program goes on.
    const wait = vi.spyOn(globalThis, 'setTimeout').mockImplementationOnce((goOn) => {
      write('sk-abc123')
      goOn()
      return undefined as unknown as ReturnType<typeof setTimeout>
    })
    expect(await fileToken(path).token(request)).toBe('sk-abc123')
    expect(wait).toHaveBeenCalledWith(expect.anything(), 50)
  })

  it('a URL, a relative path and the home folder', async () => {
    write('sk-abc123')
    vi.stubEnv('HOME', folder)
    vi.stubEnv('USERPROFILE', folder)
    expect(homedir()).toBe(folder)
    for (const place of [pathToFileURL(path), relative('.', path), '~/token']) {
      expect(await fileToken(place).token(request)).toBe('sk-abc123')
    }
  })

  it('is not read when the source is made', async () => {
    const source = fileToken(path)
    write('sk-abc123')
    expect(await source.token(request)).toBe('sk-abc123')
  })
})

describe('FL-73 what cannot be a token is an error that names the file and never what is in it', () => {
  const secret = 'sk-half of-a-secret'
  it.each([
    ['does not exist', () => {}],
    ['is empty', () => write(' \n')],
    ['holds white space', () => write(secret)],
    ['holds a line break', () => write(`${secret}\n${secret}`)],
    ['holds a placeholder', () => write('${TOKEN}')],
    ['is larger than 65536 bytes', () => write(Buffer.alloc(65_537, 'a'))],
    ['is longer than 8192 characters', () => write(Buffer.alloc(65_536, 'a'))],
    ['is not a file', () => mkdirSync(path)],
    ['holds a line break or another control character', () => write(Buffer.from('sk-abc', 'utf16le'))],
  ])('%s', async (fault, prepare) => {
    prepare()
    const failure = await fileToken(path)
      .token(request)
      .then(String, (error) => error)
    expect(failure).toMatchObject({ name: 'AuthError', code: 'token_unavailable' })
    expect(failure.message).toContain(`the file ${path} ${fault}`)
    expect(failure.message).not.toContain('half')
    expect(failure.cause).toBeUndefined()
  })

  it('a pipe that nobody writes to', async () => {
    execFileSync('mkfifo', [path])
    await expect(fileToken(path).token(request)).rejects.toThrow(`${path} is not a file`)
  })

  it('a way that leads through a file', async () => {
    write('sk-abc123')
    await expect(fileToken(join(path, 'token')).token(request)).rejects.toThrow('does not exist')
  })

  it('a file that is gone is not replaced by what it held', async () => {
    write('sk-abc123')
    const source = fileToken(path)
    await source.token(request)
    rmSync(path)
    await expect(source.token(request)).rejects.toMatchObject({ code: 'token_unavailable' })
  })
})

describe('E-10 a file that others can read', () => {
  it.each([0o640, 0o604, 0o620, 0o602])('mode %o is reported once, and used', async (mode) => {
    write('sk-abc123', mode)
    const lines: LogEntry[] = []
    const source = fileToken(path, { logger: (entry) => void lines.push(entry) })
    for (let time = 0; time < 3; time++) expect(await source.token(request)).toBe('sk-abc123')
    expect(lines).toMatchObject([{ level: 'warn', event: 'token_file_exposed', details: { path } }])
    expect(JSON.stringify(lines)).not.toContain('sk-abc123')
  })

  it.each([0o600, 0o400, 0o700, 0o611])('mode %o is not reported', async (mode) => {
    write('sk-abc123', mode)
    const log = vi.fn()
    await fileToken(path, { logger: log }).token(request)
    expect(log).not.toHaveBeenCalled()
  })
})

it('is called by its path', () => {
  expect(fileToken('~/token').name).toBe('the file ~/token')
})

it('a caller who has given up is told so', async () => {
  write('sk-abc123')
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(fileToken(path).token({ ...request, signal })).rejects.toThrow('enough')
})

it.each([
  undefined,
  null,
  '',
  ' ',
  7,
  'a\0b',
  new URL('https://example.com/token'),
  new URL('file://host/a'),
])('a path that is none is a TypeError: %s', (wrong) => {
  expect(() => fileToken(wrong as string)).toThrow(
    new TypeError('fileToken: path must be the path of a file, or a URL that begins with file:///'),
  )
})

it('an option that does not exist, or a logger that is none, is a TypeError', () => {
  expect(() => fileToken('token', { log: logger } as object)).toThrow('fileToken: unknown option "log"')
  expect(() => fileToken('token', { logger: 'stderr' } as object)).toThrow(TypeError)
})
