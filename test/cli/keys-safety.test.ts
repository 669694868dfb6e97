import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ApiKey } from '../../src/apikeys/api-key.ts'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import { writtenForms } from '../../src/core/redact.ts'
import { cli, create, inStore, json, keysFolder } from './keys-support.ts'
import type { Ran } from './support.ts'

const folder = keysFolder()

const statusOf = async (id: string) => (await json<{ apiKey: ApiKey }>(['show', id])).apiKey.status

/** How often a text or another way to write it stands in what was printed. */
const times = ({ out, err, progress }: Ran, secret: string) =>
  Math.max(...writtenForms(secret).map((form) => [out, err, ...progress].join('\n').split(form).length - 1))

describe('FL-71 the secret', () => {
  it.each([
    ['text', []],
    ['JSON', ['--json']],
    ['a pipe', ['--quiet']],
  ])('as %s is printed once by what makes it, and by nothing else', async (_as, how) => {
    const made = await cli(['create', '--name', 'ci', '--owner', 'build', ...how])
    const key = /mcpk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}/.exec(made.out)?.[0] ?? ''
    const id = key.split('_')[2]!
    const secret = key.slice(-38)
    expect([times(made, key), times(made, secret)]).toEqual([1, 1])
    const rotated = await cli(['rotate', id, ...how])
    const next = /mcpk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}/.exec(rotated.out)?.[0] ?? ''
    expect([times(rotated, next), times(rotated, next.slice(-38)), times(rotated, secret)]).toEqual([1, 1, 0])
    const digest = await inStore(folder.db, async (store) => Buffer.from((await store.find(id))!.hash))
    vi.stubEnv('LEAKED', key)
    for (const argv of [
      ['list'],
      ['list', '--json'],
      ['list', '--stale'],
      ['show', id],
      ['show', id, '--json'],
      ['audit'],
      ['audit', '--json'],
      ['audit', '--jsonl'],
      ['audit', '--verify'],
      ['show', key],
      ['show', key, '--json'],
      ['revoke', key],
      ['rotate', key],
      ['update', key, '--name', 'x'],
      ['create', key],
      ['create', `--${key}`],
      ['list', '--status', key],
      ['list', '--limit', key],
      ['audit', '--event', key],
      ['audit', '--key', key],
      ['audit', '--since', key],
      ['rotate', id, '--grace', key],
      ['rotate', id, '--activate', key],
      ['update', id, '--expires', key],
      ['update', id, '--rate-limit', key],
      ['import', key],
      ['check', key],
      ['check', `env:${key}`],
      ['check', `file:${key}`],
      ['check', 'env:LEAKED', '--json'],
      ['scan-rules', '--prefix', key],
      [key],
      ['revoke', '--leaked', 'env:LEAKED', '--reason', key],
      ['revoke', '--leaked', key, '--json'],
      ['show', id],
      ['audit', '--json'],
    ]) {
      const ran = await cli(argv)
      expect([argv, times(ran, secret)]).toEqual([argv, 0])
      for (const form of ['hex', 'base64', 'base64url'] as const)
        expect(ran.out + ran.err).not.toContain(digest.toString(form))
    }
    expect(await statusOf(id)).toBe('revoked')
  })
})

describe('--leaked', () => {
  it('ends a key that is shown, from standard input, the environment or a file', async () => {
    const [one, two, three] = [await create(), await create(), await create()]
    vi.stubEnv('LEAKED', two.key)
    await writeFile(folder.path('key'), three.key, { mode: 0o600 })
    expect(await cli(['revoke', '--leaked', '-'], { input: `Bearer ${one.key}\n` })).toMatchObject({
      exit: 0,
      err: '',
      out: `Done. If this is a key of this database, it is revoked now.\nmcp-bearer keys show ${one.apiKey.id} tells.`,
    })
    await json(['revoke', '--leaked', 'env:LEAKED'])
    await json(['revoke', '--leaked', `file:${folder.path('key')}`])
    for (const { apiKey } of [one, two, three]) expect(await statusOf(apiKey.id)).toBe('revoked')
  })

  it('FL-106 on the command line it warns', async () => {
    const { key } = await create()
    const { exit, err } = await cli(['revoke', '--leaked', key])
    expect([exit, err]).toEqual([
      0,
      expect.stringContaining('a key on the command line can be seen by other'),
    ])
  })

  it('an id is not enough, and nothing is said of what exists', async () => {
    const { key, apiKey } = await create()
    const wrong = `${key.slice(0, -38)}${'0'.repeat(38)}`
    const told = await cli(['revoke', '--leaked', '-'], { input: wrong })
    expect(told).toMatchObject({ exit: 0, out: expect.stringContaining('If this is a key of this database') })
    expect(await statusOf(apiKey.id)).toBe('active')
    expect((await cli(['revoke', '--leaked', '-'], { input: '' })).exit).toBe(2)
  })
})

describe('more than one key', () => {
  const three = async () => {
    const made = [await create(), await create('--name', 'two'), await create('--owner', 'team:build')]
    return made.map(({ apiKey }) => apiKey.id)
  }
  const states = (ids: readonly string[]) => Promise.all(ids.map(statusOf))

  it.each([
    ['the count', '2'],
    ['yes', ' YES '],
  ])('are revoked when the person types %s', async (_what, answer) => {
    const ids = await three()
    const asked: string[] = []
    const ran = await cli(['revoke', '--owner', 'service:build'], {
      onAsk: (question) => {
        asked.push(question)
        return answer
      },
    })
    expect(asked).toEqual(['Type 2, or yes, to go on: '])
    expect(ran.err).toMatch(/^This revokes 2 keys, for good:\n {2}\w{12} {2}/)
    expect(ran.exit).toBe(0)
    expect(await states(ids)).toEqual(['revoked', 'revoked', 'active'])
  })

  it.each(['', 'n', '3', 'ye', 'no'])('are kept when the person types "%s"', async (answer) => {
    const ids = await three()
    const { exit, out, err } = await cli(['revoke', ...ids.slice(0, 2)], { onAsk: () => answer })
    expect([exit, out, err]).toEqual([1, '', expect.stringContaining('Not confirmed; nothing was changed')])
    expect(await states(ids)).toEqual(['active', 'active', 'active'])
  })

  it('are kept where nobody can answer, and revoked with --yes', async () => {
    const ids = await three()
    const { exit, err } = await cli(['revoke', ...ids])
    expect([exit, err]).toEqual([2, expect.stringContaining('add --yes')])
    expect(await states(ids)).toEqual(['active', 'active', 'active'])
    const { json: read, exit: done } = await cli(['revoke', ...ids, '--yes', '--json'])
    expect([done, read()]).toMatchObject([0, { revoked: ids.map((id) => ({ id })), failed: [] }])
  })

  it('after Ctrl-C at the question the exit code is 130, and nothing has changed', async () => {
    const ids = await three()
    const before = await inStore(folder.db, (store) => store.readAudit({}))
    for (const argv of [
      ['revoke', '--owner', 'build'],
      ['revoke', ...ids],
    ]) {
      const controller = new AbortController()
      const ran = await cli(argv, {
        ctrlC: controller.signal,
        onAsk: () => {
          controller.abort()
          return 'yes'
        },
      })
      expect([ran.exit, ran.out]).toEqual([130, ''])
      expect(ran.err).toMatch(/\nmcp-bearer: Interrupted$/)
    }
    expect(await states(ids)).toEqual(['active', 'active', 'active'])
    expect(await inStore(folder.db, (store) => store.readAudit({}))).toEqual(before)
  })

  it('--dry-run shows them, and changes nothing', async () => {
    const ids = await three()
    const { exit, out } = await cli(['revoke', '--owner', 'build', '--dry-run'])
    expect([exit, out]).toEqual([0, expect.stringMatching(/^Would revoke 3 keys:\n/)])
    for (const id of ids) expect(out).toContain(id)
    expect(await states(ids)).toEqual(['active', 'active', 'active'])
  })

  it('one that does not exist does not stop the others, and is told', async () => {
    const [id = ''] = await three()
    const { exit, out } = await cli(['revoke', id, '000000000000', '--yes'])
    expect(exit).toBe(1)
    expect(out).toMatch(new RegExp(`^Revoked ${id} {2}ci\nNOT revoked: 000000000000 {2}`))
    expect(await statusOf(id)).toBe('revoked')
  })

  it('are purged when they have been over for long, and only after a yes', async () => {
    const [gone = '', kept = ''] = await three()
    await json(['revoke', gone])
    const dry = await cli(['purge', '--older-than', '0', '--dry-run'])
    expect(dry.out).toBe('Would remove one key.')
    expect((await cli(['purge', '--older-than', '0'])).exit).toBe(2)
    expect((await cli(['purge', '--older-than', '0'], { onAsk: () => 'no' })).exit).toBe(1)
    expect(await statusOf(gone)).toBe('revoked')
    expect((await cli(['purge', '--older-than', '1d', '--yes'])).out).toBe(
      'No key has been over for that long.',
    )
    expect((await cli(['purge', '--older-than', '0'], { onAsk: () => '1' })).out).toBe('Removed one key.')
    expect((await cli(['show', gone])).exit).toBe(1)
    expect(await statusOf(kept)).toBe('active')
    expect((await cli(['purge'])).err).toContain('--older-than')
  })
})

describe('a name that somebody else wrote', () => {
  const hostile = 'x\u001b[2K\u001b]0;t\u0007\u009b31m\r\u202Egnp \u{E0041}\n  forged  fact\r\n  forged  fact'

  it('does nothing to a terminal, in no command', async () => {
    // Whatever the front door refuses, a database may hold.
    const id = await inStore(folder.db, async (store) => {
      const { apiKey } = await apiKeys({ store }).create({
        name: 'x',
        owner: 'o',
        metadata: { note: hostile },
      })
      const record = (await store.find(apiKey.id))!
      const actor = { type: 'user', name: hostile } as const
      const audit = [
        {
          event: 'key.update',
          outcome: 'success',
          severity: 'info',
          actor,
          reason: hostile,
          keyId: apiKey.id,
        } as const,
      ]
      const bad = {
        ...record,
        name: hostile,
        owner: { type: hostile, id: hostile },
        tenant: hostile,
        scopes: [hostile],
      }
      await store.commit({ update: [{ record: bad }], audit })
      return apiKey.id
    })
    for (const argv of [
      ['list'],
      ['list', '--stale'],
      ['show', id],
      ['audit'],
      ['disable', id],
      ['revoke', id, '--dry-run'],
      ['revoke', '--owner', hostile],
      ['rotate', id, '--quiet'],
      ['revoke', id],
    ]) {
      for (const json of [[], ['--json']]) {
        const { out, err } = await cli([...argv, ...json], { width: 80, onAsk: () => 'no' })
        expect((out + err).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        expect(out + err).not.toMatch(/^ *forged/m)
      }
    }
    expect((await cli(['show', id])).out).toContain('x\\x1b[2K\\x1b]0;t\\x07\\x9b31m')
  })
})

describe('what goes wrong', () => {
  it('an unknown key has exit code 1, and where to look', async () => {
    await create()
    for (const argv of [
      ['show', '000000000000'],
      ['update', '000000000000', '--name', 'x'],
      ['rotate', '000000000000'],
      ['disable', '000000000000'],
      ['enable', '000000000000'],
      ['revoke', '000000000000'],
      ['revoke', '--owner', 'nobody'],
    ]) {
      const { exit, out, err } = await cli(argv)
      expect([argv, exit, out]).toEqual([argv, 1, ''])
      expect(err).toMatch(/^mcp-bearer: .+\nmcp-bearer keys list shows the keys there are\.$/)
      const asJson = await cli([...argv, '--json'])
      expect([asJson.exit, asJson.err]).toEqual([1, ''])
      expect(asJson.json()).toEqual({ error: { code: 'failed', message: expect.any(String) } })
    }
  })

  it.each<[string, string[], string]>([
    ['no name', ['create', '--owner', 'x'], 'give --name'],
    ['no owner', ['create', '--name', 'x'], '--owner'],
    ['an owner without id', ['create', '--name', 'x', '--owner', 'user:'], '--owner must be an id'],
    ['an id that is none', ['show', '../../etc'], 'an id has 12 letters and digits'],
    ['no id', ['show'], 'a word is missing'],
    ['too many words', ['rotate', '000000000000', '000000000000'], 'too many words'],
    ['an unknown option', ['list', '--nonsense'], 'Usage: mcp-bearer keys list'],
    ['a wrong duration', ['rotate', '000000000000', '--grace', 'soon'], '--grace must be a duration'],
    [
      'a wrong date',
      ['create', '--name', 'x', '--owner', 'x', '--expires', '2027-02-30'],
      '--expires must be',
    ],
    ['a wrong limit', ['create', '--name', 'x', '--owner', 'x', '--rate-limit', '60/h'], '60/min'],
    ['a wrong environment', ['create', '--name', 'x', '--owner', 'x', '--env', 'prod'], 'live, test'],
    ['a wrong prefix', ['create', '--name', 'x', '--owner', 'x', '--prefix', 'my_app'], 'prefix must be'],
    ['a wrong address', ['create', '--name', 'x', '--owner', 'x', '--address', '300.1.1.1'], 'address'],
    ['a status that is none', ['list', '--status', 'gone'], 'active, pending'],
    ['no keys to revoke', ['revoke'], 'which keys?'],
    ['two ways to name them', ['revoke', '000000000000', '--owner', 'x'], 'which keys?'],
    ['nothing to import', ['import', '-'], 'nothing to import'],
    ['a file that is not there', ['import', 'nowhere.jsonl'], 'nowhere.jsonl'],
    ['a variable that is not set', ['check', 'env:NOT_SET'], 'NOT_SET is not set'],
    ['a database in memory', ['list', '--db', 'memory:'], 'ends with this command'],
    ['another database', ['list', '--db', 'mysql://localhost/x'], 'postgres://'],
    ['--verify with a filter', ['audit', '--verify', '--since', '1d'], 'give it alone'],
  ])('%s has exit code 2, and says what is right', async (_what, argv, message) => {
    await create()
    const { exit, out, err } = await cli(argv)
    expect([exit, out]).toEqual([2, ''])
    expect(err).toContain(message)
    const asJson = await cli([...argv, '--json'])
    expect([asJson.exit, asJson.err]).toEqual([2, ''])
    expect(asJson.json()).toMatchObject({ error: { code: 'usage' } })
  })

  it('--quiet and --json are one too many', async () => {
    const { exit, json: read } = await cli(['create', '--name', 'x', '--owner', 'x', '--quiet', '--json'])
    expect([exit, read()]).toMatchObject([
      2,
      { error: { code: 'usage', message: expect.stringMatching('give one') } },
    ])
    await expect(readFile(folder.db)).rejects.toThrow('ENOENT')
  })

  it('without a database tells how to name one', async () => {
    vi.stubEnv('MCP_BEARER_DB', undefined)
    const { exit, err } = await cli(['list'])
    expect([exit, err]).toEqual([2, expect.stringContaining('--db FILE or --db postgres://host/name')])
    expect(err).toContain('MCP_BEARER_DB')
  })

  it('a path that is misspelt is no new database', async () => {
    for (const db of ['typo.db', `sqlite:${folder.path('typo.db')}`, `file://${folder.path('typo.db')}`]) {
      const { exit, err } = await cli(['list', '--db', db])
      expect([exit, err]).toEqual([2, expect.stringContaining('there is no database of that name')])
    }
    await expect(readFile(folder.path('typo.db'))).rejects.toThrow('ENOENT')
  })

  it('a file that is no database has exit code 21, and is not "no keys"', async () => {
    await mkdir(folder.path('folder.db'))
    const { exit, out } = await cli(['list', '--db', folder.path('folder.db')])
    expect([exit, out]).toEqual([21, ''])
  })
})

describe('PostgreSQL that does not answer', () => {
  const password = 'pass-word-0123456789'
  let port = 0
  // Takes connections and closes them at once.
  const server = createServer((socket) => socket.destroy())
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as { port: number }).port
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  it('has exit code 21, and the password is nowhere', async () => {
    const db = `postgres://keys:${password}@127.0.0.1:${port}/keys`
    const { exit, out, err } = await cli(['list', '--db', db])
    expect([exit, out]).toEqual([21, ''])
    expect(err).toContain('a database password on the command line can be seen')
    expect(err).toContain('Is it running, and is --db or MCP_BEARER_DB right?')
    expect(err).not.toContain(password)
    vi.stubEnv('MCP_BEARER_DB', db)
    const quiet = await cli(['create', '--name', 'x', '--owner', 'x', '--json'])
    expect([quiet.exit, quiet.err]).toEqual([21, ''])
    expect(quiet.json()).toMatchObject({ error: { code: 'verifier_unavailable' } })
    expect(quiet.out).not.toContain(password)
  })
})
