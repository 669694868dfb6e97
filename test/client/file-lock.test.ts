import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { withFileLock } from '../../src/client/stores/file-lock.ts'
import * as clocks from '../../src/core/clock.ts'

vi.mock('../../src/core/clock.ts', async (original) => {
  const real = await original<typeof import('../../src/core/clock.ts')>()
  return { ...real, stopwatch: vi.fn(real.stopwatch) }
})

let folder: string
let lock: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-'))
  lock = join(folder, 'lock')
})
afterEach(() => {
  vi.mocked(clocks.stopwatch).mockReset()
  vi.mocked(clocks.stopwatch).mockImplementation(() => performance.now())
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

/** Every look at the stopwatch is so many milliseconds after the last. */
function timePasses(milliseconds: number): void {
  let now = 0
  vi.mocked(clocks.stopwatch).mockImplementation(() => {
    now += milliseconds
    return now
  })
}

/** A process that has ended and was waited for: nobody has its number, for now. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
  await new Promise((resolve) => child.once('exit', resolve))
  return child.pid!
}

/** The mark of a lock this process holds, to make others from. */
async function ownMark(): Promise<{ readonly id: string; readonly pid: number; readonly place: string }> {
  const path = join(folder, 'own')
  return withFileLock(path, 0, async () => JSON.parse(readFileSync(path, 'utf8')))
}

describe('the lock', () => {
  it('is there while the work runs, only for its owner, and gone afterwards', async () => {
    const result = await withFileLock(lock, 0, async () => {
      expect(statSync(lock).mode & 0o777).toBe(0o600)
      expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.pid })
      return 'done'
    })
    expect(result).toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })

  it('is gone after work that fails, and the failure is the work’s', async () => {
    const failure = new Error('no luck')
    const failing = withFileLock(lock, 0, async () => {
      throw failure
    })
    await expect(failing).rejects.toBe(failure)
    expect(readdirSync(folder)).toEqual([])
  })

  it('is held by one at a time', async () => {
    let running = 0
    let most = 0
    const work = async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise(setImmediate)
      running -= 1
    }
    await Promise.all(Array.from({ length: 10 }, () => withFileLock(lock, 30_000, work)))
    expect(most).toBe(1)
  })

  it('is waited for so long and no longer', async () => {
    writeFileSync(lock, JSON.stringify({ ...(await ownMark()), pid: process.ppid }))
    timePasses(4000)
    const waiting = withFileLock(lock, 5000, async () => expect.unreachable('has the lock of another'))
    await expect(waiting).rejects.toMatchObject({ name: 'AuthError', code: 'token_unavailable' })
    await expect(waiting).rejects.toThrow(
      `another process holds the lock ${lock}, and did not give it back in 5000`,
    )
    expect(existsSync(lock)).toBe(true)
  })

  it('that cannot be made is an error that names it', async () => {
    const nowhere = join(folder, 'missing', 'lock')
    await expect(withFileLock(nowhere, 0, async () => 'never')).rejects.toMatchObject({
      code: 'token_unavailable',
      message: `Tokens cannot be kept: ${nowhere} cannot be written (ENOENT).`,
    })
  })

  it('shows that its process is alive', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      await withFileLock(lock, 0, async () => {
        utimesSync(lock, 1, 1)
        vi.advanceTimersByTime(2000)
        await vi.waitFor(() => expect(statSync(lock).mtimeMs).toBeGreaterThan(1000))
      })
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a lock that was left behind', () => {
  it('of a process that is gone is taken away at once', async () => {
    writeFileSync(lock, JSON.stringify({ ...(await ownMark()), pid: await deadPid() }))
    timePasses(0)
    expect(await withFileLock(lock, 0, async () => 'done')).toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })

  it.each([
    ['of another machine', { place: 'elsewhere' }],
    ['of another container on this machine', { place: `${hostname()} pid:[1]` }],
    ['of no process', { pid: 0 }],
    ['of a group of processes', { pid: -99_999_999 }],
    ['of a process with a name', { pid: '1' }],
  ])('%s is taken away when it has shown no life for 15 seconds', async (_whose, difference) => {
    writeFileSync(lock, JSON.stringify({ ...(await ownMark()), pid: await deadPid(), ...difference }))
    timePasses(4000)
    const early = withFileLock(lock, 10_000, async () => 'never')
    await expect(early).rejects.toMatchObject({ code: 'token_unavailable' })
    expect(await withFileLock(lock, 60_000, async () => 'done')).toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })

  it.each(['', '{', 'null', '7', '[]'])(
    'that holds %j is taken away when it has shown no life',
    async (mark) => {
      writeFileSync(lock, mark)
      timePasses(4000)
      expect(await withFileLock(lock, 60_000, async () => 'done')).toBe('done')
    },
  )

  it('stays when it shows life now and then', async () => {
    writeFileSync(lock, JSON.stringify({ place: 'elsewhere' }))
    let now = 0
    vi.mocked(clocks.stopwatch).mockImplementation(() => {
      now += 4000
      if (now % 12_000 === 0) utimesSync(lock, now, now)
      return now
    })
    const waiting = withFileLock(lock, 60_000, async () => 'never')
    await expect(waiting).rejects.toMatchObject({ code: 'token_unavailable' })
  })

  it('is taken away once, when many find it', async () => {
    writeFileSync(lock, JSON.stringify({ ...(await ownMark()), pid: await deadPid() }))
    let running = 0
    const work = async () => {
      running += 1
      expect(running).toBe(1)
      await new Promise(setImmediate)
      running -= 1
    }
    await Promise.all(Array.from({ length: 10 }, () => withFileLock(lock, 30_000, work)))
    expect(readdirSync(folder)).toEqual([])
  })

  it('is left alone while one whose clock is wrong takes it away', async () => {
    const mark = JSON.stringify({ ...(await ownMark()), pid: await deadPid() })
    writeFileSync(lock, mark)
    writeFileSync(`${lock}.break`, '')
    utimesSync(`${lock}.break`, 1, 1)
    await expect(withFileLock(lock, 100, async () => 'never')).rejects.toMatchObject({
      code: 'token_unavailable',
    })
    expect(readFileSync(lock, 'utf8')).toBe(mark)
  })

  it('is left alone while another takes it away, unless that one was killed over it', async () => {
    const mark = JSON.stringify({ ...(await ownMark()), pid: await deadPid() })
    writeFileSync(lock, mark)
    writeFileSync(`${lock}.break`, '')
    timePasses(4000)
    await expect(withFileLock(lock, 3000, async () => 'never')).rejects.toMatchObject({
      code: 'token_unavailable',
    })
    expect(readFileSync(lock, 'utf8')).toBe(mark)
    expect(await withFileLock(lock, 100_000, async () => 'done')).toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })
})

it('who was thought dead does not take away the lock of the next', async () => {
  const next = JSON.stringify({ id: 'next' })
  await withFileLock(lock, 0, async () => writeFileSync(lock, next))
  expect(readFileSync(lock, 'utf8')).toBe(next)
})
