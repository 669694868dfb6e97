import { stopwatch, systemClock } from '../../core/clock.ts'
import { AuthError } from '../../core/index.ts'
import { unwritable, withFile } from './secret-file.ts'

/** Milliseconds between two signs of life of whoever holds a lock. */
const heartbeat = 2_000
/** Milliseconds without one after which it counts as dead, when its process cannot be asked. */
const patience = 15_000
/** Bytes. */
const mostMark = 1024

/**
 * Runs the work while no other process that takes the lock at this path runs any. The lock is a file that only one can
 * create. It holds the process, and its time changes every two seconds: a process that was killed loses it at once to
 * others of the same machine, and after 15 seconds to those that cannot see its processes.
 *
 * @param path of the lock; its folder exists
 * @param wait milliseconds at most to wait for it
 * @throws AuthError `token_unavailable` when it was not free in time or cannot be made; else what the work throws
 */
export async function withFileLock<T>(path: string, wait: number, work: () => Promise<T>): Promise<T> {
  const { utimes } = await import('node:fs/promises')
  const mark = JSON.stringify({ id: crypto.randomUUID(), pid: process.pid, place: await processPlace() })
  await acquire(path, mark, wait)
  const beat = setInterval(() => {
    const now = systemClock() / 1000
    utimes(path, now, now).catch(() => {})
  }, heartbeat)
  beat.unref()
  try {
    return await work()
  } finally {
    clearInterval(beat)
    // Not what somebody else holds who thought this process dead.
    if ((await lookAt(path))?.mark === mark) await remove(path)
  }
}

async function acquire(path: string, mark: string, wait: number): Promise<void> {
  const begun = stopwatch()
  const silentFor = watch()
  const breakerSilentFor = watch()
  while (!(await create(path, mark))) {
    const found = await lookAt(path)
    const silence = silentFor(found)
    const isLeft = found !== undefined && (silence > patience || (await isDead(found.mark)))
    if (isLeft && (await takeAway(path, found, mark, breakerSilentFor))) continue
    if (stopwatch() - begun > wait) {
      throw new AuthError(
        'token_unavailable',
        `No token: another process holds the lock ${path}, and did not give it back in ${wait} milliseconds.`,
      )
    }
    // Not all at the same time again.
    await new Promise((resolve) => setTimeout(resolve, 10 + 40 * Math.random()))
  }
}

/** For how many milliseconds a lock has been the same. */
type Watch = (found: FoundLock | undefined) => number

/** By this process's own watch: the clocks of machines that share a folder differ. */
function watch(): Watch {
  let seen = { sign: '', since: 0 }
  return (found) => {
    const now = stopwatch()
    const sign = `${found?.mark} ${found?.time}`
    if (sign !== seen.sign) seen = { sign, since: now }
    return now - seen.since
  }
}

/** @returns whether it was not there before */
async function create(path: string, mark: string): Promise<boolean> {
  try {
    await withFile(path, 'wx', (file) =>
      file.writeFile(mark).catch(async (error: unknown) => {
        // A full disk. Nobody would take a lock without a mark away before it has been watched for long.
        await remove(path)
        throw error
      }),
    )
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Windows says EPERM of a file that is about to go.
    if (code === 'EEXIST' || (code === 'EPERM' && process.platform === 'win32')) return false
    throw unwritable(path, error)
  }
}

interface FoundLock {
  readonly mark: string
  /** Of the last sign of life. */
  readonly time: number
}

async function lookAt(path: string): Promise<FoundLock | undefined> {
  const { constants } = await import('node:fs/promises')
  try {
    // Never waits for a pipe that somebody has put there.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
    return await withFile(path, flags, async (file) => {
      const { mtimeMs } = await file.stat()
      const { buffer, bytesRead } = await file.read(Buffer.alloc(mostMark), 0, mostMark)
      return { mark: buffer.toString('utf8', 0, bytesRead), time: mtimeMs }
    })
  } catch {
    // Gone meanwhile, most likely. If it is not, nobody gets the lock, and the wait ends.
    return undefined
  }
}

/**
 * Removes a lock that was left behind, and no other: between the look and the removal somebody else may have done so
 * and hold the next one already. Whoever removes therefore holds a lock for that, for as long as it takes.
 * @returns whether it is worth trying again at once
 */
async function takeAway(path: string, found: FoundLock, mark: string, silentFor: Watch): Promise<boolean> {
  const breaker = `${path}.break`
  if (!(await create(breaker, mark))) {
    const other = await lookAt(breaker)
    if (silentFor(other) > patience && other) await remove(breaker)
    return false
  }
  try {
    const current = await lookAt(path)
    const isSame = current?.mark === found.mark && current.time === found.time
    // What belongs to another user may stay, in a folder like `/tmp`.
    return isSame ? await remove(path) : true
  } finally {
    await remove(breaker)
  }
}

/** @returns whether it is gone */
async function remove(path: string): Promise<boolean> {
  const { rm } = await import('node:fs/promises')
  return rm(path, { force: true }).then(
    () => true,
    () => false,
  )
}

/** Whether the process of a lock is known to be gone. */
async function isDead(mark: string): Promise<boolean> {
  const { pid, place } = readMark(mark)
  // 0 and negative numbers are groups of processes.
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return false
  if (place !== (await processPlace())) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function readMark(mark: string): { readonly pid?: unknown; readonly place?: unknown } {
  try {
    const read: unknown = JSON.parse(mark)
    return typeof read === 'object' && read !== null ? read : {}
  } catch {
    // Not written to the end.
    return {}
  }
}

/** Where numbers of processes mean the same: a machine, and in it a container that may share its name with others. */
async function processPlace(): Promise<string> {
  const [{ readlink }, { hostname }] = await Promise.all([import('node:fs/promises'), import('node:os')])
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '')
  return `${hostname()} ${namespace}`.trim()
}
