import { readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { describe, expect, it, vi } from 'vitest'
import type { ApiKey } from '../../src/apikeys/api-key.ts'
import { makeKey } from '../../src/apikeys/format.ts'
import { keyHasher } from '../../src/apikeys/hash.ts'
import { sqliteDriver } from '../../src/apikeys/stores/sqlite-driver.ts'
import { keys } from '../../src/cli/commands/keys.ts'
import { type Created, cli, create, inStore, json, keysFolder } from './keys-support.ts'

const folder = keysFolder()

describe('a key, from the first to the last day', () => {
  it('is created, used, listed, rotated, revoked, and all of it is in the audit log', async () => {
    const { key, apiKey } = await create('--scope', 'reports:read reports:write', '--expires', '90d')
    const { id } = apiKey
    expect(apiKey).toMatchObject({
      status: 'active',
      name: 'ci',
      owner: { type: 'service', id: 'build' },
      scopes: ['reports:read', 'reports:write'],
    })
    const isGood = (text: string) =>
      inStore(folder.db, async (store) => {
        const record = await store.find(text.split('_')[2] ?? '')
        return keyHasher().matches(text, record) && record?.state
      })
    expect(await isGood(key)).toBe('active')

    const { keys: listed } = await json<{ keys: ApiKey[] }>(['list'])
    expect(listed.map(({ id }) => id)).toEqual([id])

    const rotated = await json<Created & { replaced: ApiKey }>(['rotate', id, '--grace', '1d'])
    expect(rotated.apiKey).toMatchObject({ lineageId: id, status: 'active', scopes: apiKey.scopes })
    expect(rotated.replaced).toMatchObject({ id, status: 'grace', replacedBy: rotated.apiKey.id })
    expect(await isGood(rotated.key)).toBe('active')
    expect(await isGood(key)).toBe('grace')

    const reason = ['--reason', 'laptop lost']
    const { revoked } = await json<{ revoked: ApiKey[] }>(['revoke', rotated.apiKey.id, ...reason])
    expect(revoked).toMatchObject([{ id: rotated.apiKey.id, status: 'revoked', revokeReason: 'laptop lost' }])
    expect(await isGood(rotated.key)).toBe('revoked')

    const { events } = await json<{ events: object[] }>(['audit'])
    const actor = { type: 'cli', name: userInfo().username }
    expect(events).toMatchObject([
      { event: 'key.create', keyId: id, actor },
      { event: 'key.rotate', keyId: id, actor },
      { event: 'key.create', keyId: rotated.apiKey.id, actor },
      { event: 'key.revoke', keyId: rotated.apiKey.id, actor, reason: 'laptop lost' },
    ])
  })

  it('has everything that can be said of it', async () => {
    const { apiKey } = await create(
      ...['--tenant', 'acme', '--scope', 'a', '--scope', 'b c', '--tool', 'x', '--tool', 'y'],
      ...['--audience', 'https://mcp.example.com/mcp', '--address', '192.0.2.0/24', '--rate-limit', '60/min'],
      ...['--usage-limit', '1000', '--meta', 'team=core', '--not-before', '2020-01-01'],
      ...['--expires', '2099-01-31', '--env', 'test', '--prefix', 'acme', '--owner', ':urn:x:1'],
    )
    expect(apiKey).toMatchObject({
      prefix: 'acme',
      environment: 'test',
      owner: { id: 'urn:x:1' },
      tenant: 'acme',
      scopes: ['a', 'b', 'c'],
      tools: ['x', 'y'],
      audiences: ['https://mcp.example.com/mcp'],
      addresses: ['192.0.2.0/24'],
      rateLimit: 60,
      usageLimit: 1000,
      metadata: { team: 'core' },
      expiresAt: '2099-01-31T00:00:00.000Z',
    })
    const { out } = await cli(['show', apiKey.id])
    for (const [name, fact] of [
      ['owner', ':urn:x:1'],
      ['tenant', 'acme'],
      ['begins with', 'acme_test_'],
      ['scopes', 'a b c'],
      ['tools', 'x y'],
      ['rate limit', '60/min'],
      ['usage limit', '1000 of 1000 left'],
      ['expires', '2099-01-31 00:00:00Z (in '],
      ['metadata', '{"team":"core"}'],
      ['created', `by cli:${userInfo().username}`],
    ]) {
      const line = out.split('\n').find((one) => one.startsWith(`  ${name}  `))
      expect(line).toContain(fact)
    }
  })

  it('is changed, and a limit is taken away', async () => {
    const { apiKey } = await create('--rate-limit', '60', '--expires', '1d')
    const { apiKey: changed } = await json<{ apiKey: ApiKey }>([
      ...['update', apiKey.id, '--name', 'new', '--scope', 'x', '--clear', 'rate-limit,expires'],
    ])
    expect(changed).toMatchObject({ name: 'new', scopes: ['x'], owner: apiKey.owner })
    expect(changed).not.toHaveProperty('rateLimit')
    expect(changed).not.toHaveProperty('expiresAt')
    expect((await cli(['update', apiKey.id])).err).toContain('nothing to change')
    const both = await cli(['update', apiKey.id, '--clear', 'expires', '--expires', '1d'])
    expect([both.exit, both.err]).toEqual([2, expect.stringContaining('--clear takes away what is given')])
  })

  it('is switched off and on', async () => {
    const { apiKey } = await create()
    expect((await json<{ apiKey: ApiKey }>(['disable', apiKey.id])).apiKey.status).toBe('disabled')
    expect((await cli(['enable', apiKey.id])).out).toBe(`Enabled ${apiKey.id}; it is active.`)
  })

  it('waits for the first use of the one that replaces it, when that is wanted', async () => {
    const { apiKey } = await create()
    const { exit, out } = await cli(['rotate', apiKey.id, '--activate', 'on-first-use', '--grace', '0'])
    expect(exit).toBe(0)
    expect(out).toContain(
      `The old key, ${apiKey.id}, works until the grace after the first use of the new one is over.`,
    )
    const { out: at } = await cli(['show', apiKey.id])
    expect(at).toMatch(
      /Other keys of this lineage, the oldest first\n {2}[0-9A-Za-z]{12} {2}pending, made now/,
    )
    expect(at).toMatch(/key\.rotate/)
  })
})

describe('mcp-bearer keys create', () => {
  it('tells what to do next', async () => {
    const { exit, out, err } = await cli(['create', '--name', 'ci', '--owner', 'build'])
    expect([exit, err]).toEqual([0, ''])
    expect(out).toMatch(/^mcpk_live_\w+\n\nThis is the only time it is shown\.\n/)
    expect(out).toContain('"headers": { "Authorization": "Bearer ${MCP_API_KEY}" }')
    expect(out).toMatch(/^Replace it: {2}mcp-bearer keys rotate [0-9A-Za-z]{12} --grace 1d$/m)
    expect(out).toMatch(/^End it: {6}mcp-bearer keys revoke [0-9A-Za-z]{12}$/m)
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  it('--quiet prints the key alone, to be piped; the rest is beside it', async () => {
    const { exit, out, err } = await cli(['create', '--name', 'ci', '--owner', 'build', '--quiet'])
    expect([exit, out]).toEqual([0, expect.stringMatching(/^mcpk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}$/)])
    expect(err).toBe(`Key ${out.split('_')[2]} (ci); it is not shown again.`)
    const rotated = await cli(['rotate', out.split('_')[2]!, '--quiet'])
    expect(rotated.out).toMatch(/^mcpk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}$/)
    expect(rotated.err).toMatch(
      /^The old key, [0-9A-Za-z]{12}, works until \d{4}-.*\nKey [0-9A-Za-z]{12} \(ci\)/,
    )
  })

  it('--count makes many, each printed once', async () => {
    const { exit, out } = await cli([...'create --name n --owner o --count 1001 --quiet'.split(' ')])
    const made = out.split('\n')
    expect([exit, new Set(made).size]).toEqual([0, 1001])
    const { keys: listed } = await json<{ keys: ApiKey[] }>(['list'])
    expect(listed.map(({ id }) => id)).toEqual(made.map((key) => key.split('_')[2]).sort())
    expect(new Set(listed.map(({ name }) => name))).toEqual(new Set(made.map((_key, at) => `n-${at + 1}`)))
    const all = await json<{ keys: Created[] }>(['create', '--name', 'n', '--owner', 'o', '--count', '2'])
    expect(all.keys.map(({ apiKey }) => apiKey.name)).toEqual(['n-1', 'n-2'])
    expect((await cli('create --name n --owner o --count 2'.split(' '))).out).toMatch(
      /^\S+ {2}n-1\n\S+ {2}n-2$/,
    )
  })

  it('Ctrl-C between two thousands loses none that was made', async () => {
    const controller = new AbortController()
    const printed: string[] = []
    const ran = await cli('create --name n --owner o --count 3000 --quiet'.split(' '), {
      ctrlC: controller.signal,
      onLine: (line) => {
        printed.push(line)
        controller.abort()
      },
    })
    expect(ran.exit).toBe(130)
    expect(printed).toHaveLength(1000)
    const { keys: listed } = await json<{ keys: ApiKey[] }>(['list'])
    expect(listed).toHaveLength(1000)
  })

  it('a policy of the command line is kept', async () => {
    const { exit, err } = await cli('create --name n --owner o --expires 91d --max-lifetime 90d'.split(' '))
    expect(exit).toBe(2)
    expect(err).toMatch(/expires/)
    const { apiKey } = await create('--max-lifetime', '90d')
    expect(apiKey.expiresAt).toBeDefined()
  })

  it('with a pepper of the environment, which no message repeats', async () => {
    const pepper = 'a-pepper-of-more-than-thirty-two-characters'
    vi.stubEnv('MCP_BEARER_PEPPER', `p1:${pepper}`)
    const { key, apiKey } = await create()
    await inStore(folder.db, async (store) => {
      const record = await store.find(apiKey.id)
      expect(record?.hashAlgorithm).toBe('hmac-sha256:p1')
      expect(keyHasher([{ id: 'p1', secret: pepper }]).matches(key, record)).toBe(true)
      expect(keyHasher().matches(key, record)).toBe(false)
    })
    vi.stubEnv('MCP_BEARER_PEPPER', 'p1:too-short')
    const { exit, err } = await cli(['list'])
    expect(exit).toBe(2)
    expect(err).not.toContain('too-short')
  })
})

describe('mcp-bearer keys list', () => {
  const two = async () => {
    const name = 'nightly build of everything there is'
    const scope = 'reports:read reports:write'
    await create('--name', name, '--owner', 'user:alice@example.com', '--scope', scope)
    await create('--name', 'ci', '--expires', '90d')
  }

  it('is a table that is read at 80 columns', async () => {
    await two()
    const { exit, out, err } = await cli(['list'], { width: 80 })
    expect([exit, err]).toEqual([0, ''])
    const [head, ...rows] = out.split('\n')
    expect([head, ...rows.map((row) => row.replace(/^[0-9A-Za-z]{12}/, '<id>        ')).sort()]).toEqual([
      'ID            NAME         OWNER        STATUS  SCOPES        EXPIRES  LAST USED',
      '<id>          ci           service:bu…  active  -             in 90 d  never',
      '<id>          nightly bu…  user:alice…  active  reports:rea…  never    never',
    ])
  })

  it.each([80, 100, 120])('is not wider than a screen of %d columns', async (width) => {
    await two()
    const { out } = await cli(['list'], { width })
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width)
  })

  it('does not say "never" of a key whose first use is known and whose last is not written yet', async () => {
    const { apiKey } = await create()
    await inStore(folder.db, async (store) => {
      const record = { ...(await store.find(apiKey.id))!, firstUsedAt: store.time() }
      const told = {
        event: 'key.first_use',
        outcome: 'success',
        severity: 'info',
        actor: { type: 'key' },
      } as const
      expect(await store.commit({ update: [{ record }], audit: [told] })).toBe(true)
    })
    expect((await cli(['list'])).out).toMatch(/never +now$/m)
  })

  it('is not cut where no screen is', async () => {
    await two()
    expect((await cli(['list'])).out).toMatch(
      /nightly build of everything there is {2}user:alice@example.com/,
    )
  })

  it('has filters', async () => {
    const mine = await create('--owner', 'user:a', '--tenant', 't1', '--expires', '1d')
    const other = await create('--owner', 'team:a', '--scope', '*')
    const gone = await create('--owner', 'user:b')
    await json(['revoke', gone.apiKey.id])
    const ids = async (...argv: string[]) =>
      (await json<{ keys: ApiKey[] }>(['list', ...argv])).keys.map(({ id }) => id).sort()
    expect(await ids('--owner', 'a')).toEqual([mine.apiKey.id, other.apiKey.id].sort())
    expect(await ids('--owner', 'team:a')).toEqual([other.apiKey.id])
    expect(await ids('--tenant', 't1')).toEqual([mine.apiKey.id])
    expect(await ids('--status', 'revoked')).toEqual([gone.apiKey.id])
    expect(await ids('--status', 'active,revoked', '--status', 'expired')).toHaveLength(3)
    expect(await ids('--limit', '2')).toHaveLength(2)
    expect(await ids('--stale')).toEqual([other.apiKey.id])
    const { keys: stale } = await json<{ keys: { stale: string[] }[] }>(['list', '--stale'])
    expect(stale[0]?.stale).toEqual(['never_expires', 'unlimited_scope'])
    const { out } = await cli(['list', '--stale'], { width: 120 })
    expect(out).toMatch(/WHY.*\n.*never_expires unlimited_scope/)
    const none = await cli(['list', '--tenant', 'none'])
    expect(none).toMatchObject({ exit: 0, out: '', err: 'No such keys.' })
    expect(await ids('--tenant', 'none')).toEqual([])
  })
})

describe('mcp-bearer keys check', () => {
  const { key, id } = makeKey('mcpk', 'live')

  it('tells the id of a key, from wherever it comes, and asks no database', async () => {
    vi.stubEnv('MCP_BEARER_DB', undefined)
    vi.stubEnv('A_KEY', key)
    await writeFile(folder.path('key'), `${key}\n`)
    const expected = { ok: true, prefix: 'mcpk', environment: 'live', id }
    expect(await json(['check', 'env:A_KEY'])).toEqual(expected)
    expect(await json(['check', `file:${folder.path('key')}`])).toEqual(expected)
    expect(await json(['check', '-'], { input: `${key}\n` })).toEqual(expected)
    const { exit, out, err } = await cli(['check', key])
    expect([exit, err]).toEqual([0, expect.stringContaining('a key on the command line can be seen')])
    expect(out).toContain(id)
    expect(out + err).not.toContain(key.slice(-38))
  })

  it.each([
    ['a letter changed', key.replace(/.$/, (last) => (last === '0' ? '1' : '0')), 'bad_checksum'],
    ['the end cut off', key.slice(0, -1), 'malformed'],
    ['nothing', '', 'malformed'],
    ['something long', 'x'.repeat(600), 'too_long'],
  ])('%s is no key', async (_what, input, flaw) => {
    const { exit, out, json } = await cli(['check', '-', '--json'], { input })
    expect(exit).toBe(1)
    expect(json()).toMatchObject({ ok: false, flaw })
    if (input !== '') expect(out).not.toContain(input)
  })

  it('explains a variable that was not filled in', async () => {
    const { exit, out } = await cli(['check', '-'], { input: '${MCP_API_KEY}' })
    expect([exit, out]).toEqual([1, expect.stringContaining('set the variable where the client runs')])
  })
})

describe('mcp-bearer keys import', () => {
  const old = 'an-old-key-0123456789abcdef0123456789'

  it('takes what is good, reports the rest by its line, and repeats no key', async () => {
    const lines = [
      { name: 'a', owner: 'o', key: old, scopes: ['x'], expiresAt: '2099-01-01' },
      '',
      {
        name: 'b',
        owner: { type: 'user', id: 'u' },
        sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      },
      { name: 'c', owner: 'o', key: 'weak-1234' },
      `{"name":"d","key":"${old}-not-json`,
      { name: 'e', owner: 'o', kye: old },
      { name: 'f', owner: 'o', key: old },
    ].map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
    await writeFile(folder.path('keys.jsonl'), lines.join('\n'))
    const { exit, out, err, json: read } = await cli(['import', folder.path('keys.jsonl'), '--json'])
    expect(exit).toBe(1)
    const report = read() as { imported: number; failed: number; lines: { line: number; error?: string }[] }
    expect([report.imported, report.failed]).toEqual([2, 4])
    expect(report.lines.map(({ line, error }) => [line, error === undefined])).toEqual([
      [1, true],
      [3, true],
      [4, false],
      [5, false],
      [6, false],
      [7, false],
    ])
    for (const secret of [old, 'weak-1234', '9f86d081884c']) expect(out + err).not.toContain(secret)
    await inStore(folder.db, async (store) => {
      const found = (await store.list({})).find(({ name }) => name === 'a')
      expect(found).toMatchObject({ isImported: true, scopes: ['x'], expiresAt: Date.UTC(2099, 0) })
      expect(keyHasher().matches(old, found)).toBe(true)
    })
    const text = (await cli(['import', '-'], { input: lines[0]! })).out
    expect(text).toMatch(/^line 1: NOT imported: .*this key exists already.*\n0 imported, 1 failed\.$/)
  })

  it('--dry-run changes nothing', async () => {
    const input = JSON.stringify({ name: 'a', owner: 'o', key: old })
    const { exit, out } = await cli(['import', '-', '--dry-run'], { input })
    expect([exit, out]).toEqual([
      0,
      expect.stringMatching(/^line 1: good {2}\w{12} {2}a\n1 good, 0 failed\.$/),
    ])
    await expect(readFile(folder.db)).rejects.toThrow('ENOENT')
  })
})

describe('mcp-bearer keys audit', () => {
  it('is filtered, exported, and checked', async () => {
    const one = await create()
    const two = await create('--name', 'two')
    await json(['revoke', one.apiKey.id])
    const events = async (...argv: string[]) =>
      (await json<{ events: { event: string; keyId: string }[] }>(['audit', ...argv])).events
    expect(await events('--key', two.apiKey.id)).toMatchObject([{ event: 'key.create' }])
    expect(await events('--event', 'key.revoke')).toMatchObject([{ keyId: one.apiKey.id }])
    expect(await events('--since', '1h')).toHaveLength(3)
    expect(await events('--until', '1h')).toHaveLength(0)
    expect(await events('--since', '2099-01-01')).toHaveLength(0)
    expect(await events('--limit', '2')).toHaveLength(2)
    const lines = (await cli(['audit', '--jsonl'])).out.split('\n')
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(['key.create', 'key.create', 'key.revoke'])
    const { out } = await cli(['audit', '--event', 'key.revoke'])
    expect(out).toMatch(new RegExp(`^\\d{4}-\\d\\d-\\d\\d [\\d:]+Z {2}key.revoke +${one.apiKey.id} {2}cli `))
    const whole = await cli(['audit', '--verify'])
    expect([whole.exit, whole.out]).toEqual([0, expect.stringMatching(/^The chain is whole: 3 events\.\n/)])
    const mark = /--known (\S+)/.exec(whole.out)?.[1] ?? ''
    expect((await cli(['audit', '--verify', '--known', mark])).exit).toBe(0)
    const later = `${Number(mark.split(':')[0]) + 1}:${mark.split(':')[1]}`
    const cut = await cli(['audit', '--verify', '--known', later, '--json'])
    expect([cut.exit, cut.json()]).toMatchObject([1, { ok: false, broken: { cause: 'cut_off' } }])
  })

  it.each([
    "event = 'key.enable'",
    "key_id = '000000000000'",
    "actor_id = 'somebody'",
    'data = replace(data, \'"name"\', \'"mane"\')',
  ])('--verify says where an event was changed: %s', async (change) => {
    await create()
    await create()
    const database = (await sqliteDriver())(folder.db)
    database.exec(`update mcp_bearer_audit set ${change} where seq = 2`)
    database.close()
    const { exit, out } = await cli(['audit', '--verify'])
    expect(exit).toBe(1)
    expect(out).toContain('The chain is broken at event 2: it is not what was recorded')
  })
})

describe('mcp-bearer keys scan-rules and migrate', () => {
  it('prints the rules of the prefix', async () => {
    const rules = await cli(['scan-rules', '--prefix', 'acme'])
    expect(rules).toMatchObject({ exit: 0, err: '', out: expect.stringContaining('acme_(?:live|test)_') })
    expect((await cli(['scan-rules', '--format', 'github'])).out).toContain('Secret format: mcpk_')
    expect((await cli(['scan-rules', '--format', 'trufflehog'])).out).toContain('detectors:')
    expect(await json(['scan-rules'])).toMatchObject({ prefix: 'mcpk', gitleaks: expect.any(String) })
    expect((await cli(['scan-rules', '--prefix', 'No_'])).exit).toBe(2)
    expect((await cli(['scan-rules', '--format', 'x'])).err).toContain('gitleaks, trufflehog, github')
  })

  it('shows the SQL of a new database without making it, then makes it', async () => {
    const dry = await cli(['migrate', '--dry-run'])
    expect(dry.exit).toBe(0)
    expect(dry.out).toMatch(/^-- From version 0 to \d+\.\n-- 1 /)
    expect(dry.out).toMatch(/create table/i)
    expect(await json(['migrate'])).toMatchObject({ from: 0, dryRun: false })
    expect((await cli(['migrate'])).out).toMatch(/^Up to date: version \d+\.$/)
    expect((await cli(['list'])).err).toBe('No such keys.')
  })
})

describe('mcp-bearer keys', () => {
  it('helps, with each of its parts', async () => {
    const { exit, out } = await cli([])
    expect(exit).toBe(0)
    for (const name of 'create list show update rotate revoke disable enable check import audit purge scan-rules migrate'.split(
      ' ',
    )) {
      expect(out).toMatch(new RegExp(`^  ${name} +\\S`, 'm'))
      expect(keys.helpFor?.([name, '--help'])).toMatch(new RegExp(`^Usage: mcp-bearer keys ${name}`))
    }
    expect(keys.helpFor?.(['--help'])).toBe(out)
    for (const name of ['create', 'list', 'revoke', 'import'])
      for (const line of keys.helpFor?.([name]).split('\n') ?? [])
        expect(line.length).toBeLessThanOrEqual(100)
  })

  it.each(['nothing', '__proto__', 'constructor', 'toString'])(
    'does not know %s, nor repeat it',
    async (word) => {
      const { exit, out, err } = await cli([word])
      expect([exit, out]).toEqual([2, ''])
      expect(err).toMatch(/^mcp-bearer: there is no such subcommand of keys\n\nUsage:/)
    },
  )
})
