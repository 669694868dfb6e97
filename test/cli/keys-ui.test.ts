import { describe, expect, it } from 'vitest'
import { keys } from '../../src/cli/commands/keys.ts'
import { exitCode } from '../../src/cli/exit-codes.ts'
import { databaseLabel } from '../../src/cli/keys/database.ts'
import { ask, deferred, keyOf, open } from '../inspector/bridge-support.ts'
import { cli, create, json, keysFolder } from './keys-support.ts'
import { type Ran, run } from './support.ts'

const folder = keysFolder()

/** Runs the command, does something with the page it shows, and presses Ctrl-C. */
async function shown(
  argv: readonly string[],
  use: (site: { url: string; origin: string }) => Promise<void>,
): Promise<Ran> {
  const ctrlC = new AbortController()
  const printed = deferred<string>()
  const ended = run(keys, ['ui', ...argv], {
    ctrlC: ctrlC.signal,
    onLine: (line) => {
      const [, url] = /(http:\/\/127\.0\.0\.1:\d+\/inspector\/keys#key=[\w-]+)/.exec(line) ?? []
      if (url !== undefined) printed.resolve(url)
    },
  })
  try {
    const url = await Promise.race([printed.promise, ended.then((ran) => Promise.reject(new Error(ran.err)))])
    await use({ url, origin: new URL(url).origin })
  } finally {
    ctrlC.abort()
  }
  return ended
}

describe('mcp-bearer keys ui', () => {
  it('shows the keys of the database, and changes them as whoever started it', async () => {
    const { apiKey } = await create()
    const { exit, out, err } = await shown([], async (site) => {
      const session = await open(site)
      const headers = {
        ...session,
        authorization: `Bearer ${session['x-inspector-session']}`,
        'content-type': 'application/json',
      }
      const config = await ask(site, '/inspector/config.json', { headers })
      expect(config.json()).toEqual({ kind: 'keys', name: folder.db, keys: '/admin' })
      expect((await ask(site, '/admin/keys', { headers })).json()).toMatchObject({
        keys: [{ id: apiKey.id }],
      })
      const path = `/admin/keys/${apiKey.id}/disable`
      const body = JSON.stringify({ reason: 'a trial' })
      expect((await ask(site, path, { method: 'POST', headers, body })).status).toBe(200)
    })
    expect([exit, err]).toEqual([exitCode.ok, expect.stringContaining('Ctrl+C')])
    expect(out).toContain(folder.db)
    const { events } = await json<{ events: { event: string; actor: object; reason?: string }[] }>(['audit'])
    const [made, disabled] = events
    expect(disabled).toMatchObject({ event: 'key.disable', reason: 'a trial' })
    expect(disabled?.actor).toEqual(made?.actor)
  })

  it('makes keys as it was told to', async () => {
    await create()
    const argv = ['--prefix', 'acme', '--env', 'test', '--max-lifetime', '1h']
    await shown(argv, async (site) => {
      const session = await open(site)
      const headers = {
        ...session,
        authorization: `Bearer ${session['x-inspector-session']}`,
        'content-type': 'application/json',
      }
      const make = (more: object) =>
        ask(site, '/admin/keys', {
          method: 'POST',
          headers,
          body: JSON.stringify({ name: 'x', owner: 'y', ...more }),
        })
      expect((await make({})).json()).toMatchObject({ key: expect.stringMatching(/^acme_test_/) })
      expect((await make({ expiresAt: '2099-01-01T00:00:00Z' })).status).toBe(400)
    })
  })

  it('prints one JSON document for programs', async () => {
    await create()
    const ran = await shown(['--json'], async () => {})
    expect(ran.json()).toEqual({
      url: expect.stringMatching(/\/inspector\/keys#key=/),
      origin: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      database: folder.db,
      pid: process.pid,
    })
    expect(keyOf((ran.json() as { url: string }).url)).toHaveLength(32)
  })

  it.each([
    [['--port', 'x'], '--port must be'],
    [['--env', 'prod'], '--env must be one of live, test'],
    [['--max-lifetime', 'x'], '--max-lifetime must be a duration'],
    [['word'], 'too many words'],
  ])('%j makes no sense: 2', async (argv, message) => {
    await create()
    const { exit, err } = await cli(['ui', ...argv])
    expect([exit, err]).toEqual([exitCode.usage, expect.stringContaining(message)])
  })

  it('a database that is not there is not made', async () => {
    const { exit, err } = await cli(['ui', '--db', folder.path('no.db')])
    expect([exit, err]).toEqual([
      exitCode.usage,
      expect.stringContaining('there is no database of that name'),
    ])
  })
})

describe('what a database is called', () => {
  it.each([
    ['keys.db', 'keys.db'],
    ['sqlite:///var/keys.db', '/var/keys.db'],
    ['postgres://me:secret@db.example:5433/keys?sslmode=require', 'postgres://db.example:5433/keys'],
    ['postgresql://db.example/keys?user=me&password=secret', 'postgresql://db.example/keys'],
    ['postgres://me:se/cret@db.example/keys', 'PostgreSQL'],
  ])('%s is %s', (db, label) => {
    expect(databaseLabel(db)).toBe(label)
    expect(databaseLabel(db)).not.toContain('secret')
  })
})
