import { writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watchFile } from './file-watch.ts'

let folder: string
let stops: (() => void)[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watch-'))
  stops = []
})

afterEach(async () => {
  for (const stop of stops) stop()
  await rm(folder, { recursive: true })
})

/** Watches, and counts. */
function watched(path: string, afterMs = 20) {
  const changed = vi.fn()
  stops.push(watchFile(path, changed, { afterMs, everyMs: 1000 }))
  const times = (count: number) =>
    vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(count), { timeout: 10_000, interval: 10 })
  return { changed, times }
}

describe('watchFile', () => {
  it('tells of what is written, once for what is written at once', async () => {
    const path = join(folder, 'a.yaml')
    await writeFile(path, '1')
    const { changed, times } = watched(path)
    for (let at = 0; at < 50; at++) writeFileSync(path, `now ${at}`)
    await times(1)
    // As long as a look takes at the most: none is left from before.
    const later = watched(join(folder, 'other'), 500)
    await writeFile(join(folder, 'other'), 'x')
    await later.times(1)
    expect(changed).toHaveBeenCalledTimes(1)
    await writeFile(path, 'something longer')
    await times(2)
  })

  it('survives being replaced, again and again', async () => {
    const path = join(folder, 'a.yaml')
    await writeFile(path, '1')
    const { times } = watched(path)
    for (let at = 1; at <= 3; at++) {
      await writeFile(join(folder, 'a.tmp'), `now ${at}`)
      await rename(join(folder, 'a.tmp'), path)
      await times(at)
    }
  })

  it('follows a link that leads elsewhere, as in a ConfigMap', async () => {
    for (const name of ['one', 'two']) {
      await mkdir(join(folder, name))
      await writeFile(join(folder, name, 'a.yaml'), name)
    }
    await symlink('one', join(folder, '..data'))
    await symlink(join('..data', 'a.yaml'), join(folder, 'a.yaml'))
    const { times } = watched(join(folder, 'a.yaml'))
    await symlink('two', join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
    await times(1)
  })

  it('hears of what changes behind a link, where the system tells of nothing', async () => {
    await mkdir(join(folder, 'far'))
    await writeFile(join(folder, 'far', 'a.yaml'), '1')
    await symlink(join('far', 'a.yaml'), join(folder, 'a.yaml'))
    const { times } = watched(join(folder, 'a.yaml'))
    await writeFile(join(folder, 'far', 'a.yaml'), 'something longer')
    await times(1)
  })

  it('a file that is gone has not changed, and one that comes back has', async () => {
    const path = join(folder, 'a.yaml')
    await writeFile(path, '1')
    const { changed, times } = watched(path)
    await unlink(path)
    // Whatever the first would tell, it has told when this one has, which waits longer.
    const later = watched(join(folder, 'other'), 500)
    await writeFile(join(folder, 'other'), 'x')
    await later.times(1)
    expect(changed).not.toHaveBeenCalled()
    await writeFile(path, 'it is back')
    await times(1)
  })

  it('a file that is not there yet is waited for, and so is its folder', async () => {
    const path = join(folder, 'later', 'a.yaml')
    const { times } = watched(path)
    await mkdir(join(folder, 'later'))
    await writeFile(path, '1')
    await times(1)
  })

  it('goes on when who is told throws or rejects', async () => {
    const path = join(folder, 'a.yaml')
    await writeFile(path, '1')
    const changed = vi.fn()
    changed.mockImplementationOnce(() => {
      throw new Error('no')
    })
    changed.mockImplementationOnce(() => Promise.reject(new Error('no')))
    stops.push(watchFile(path, changed, { afterMs: 5, everyMs: 1000 }))
    for (let at = 1; at <= 3; at++) {
      await writeFile(join(folder, 'tmp'), `x${at}`)
      await rename(join(folder, 'tmp'), path)
      await vi.waitFor(() => expect(changed.mock.calls.length).toBeGreaterThanOrEqual(at), {
        timeout: 10_000,
      })
    }
  })

  it('says nothing after it was ended', async () => {
    const path = join(folder, 'a.yaml')
    await writeFile(path, '1')
    const first = vi.fn()
    const stop = watchFile(path, first, { afterMs: 5, everyMs: 1000 })
    const second = watched(path, 500)
    stop()
    await writeFile(path, 'something else')
    await second.times(1)
    expect(first).not.toHaveBeenCalled()
  })

  it('checks its options', () => {
    expect(() => watchFile('x', () => {}, { everyMs: 10 })).toThrow('everyMs')
    expect(() => watchFile('x', () => {}, { after: 10 } as never)).toThrow('after')
  })
})
