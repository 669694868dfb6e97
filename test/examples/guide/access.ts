import { expect, it } from 'vitest'
import {
  ask,
  bearer,
  call,
  connected,
  type GuideTests,
  refusal,
  revisions,
  said,
  startProgram,
  textOf,
  toolNames,
} from './world.ts'

/** Who may do what. */
export const access: GuideTests = {
  scopes(program) {
    it.each(revisions)(
      'shows and runs what the scopes allow, broader ones counted (%s)',
      async (_revision, mode) => {
        const admin = await connected(program.url, mode, 'dev-admin')
        const writer = await connected(program.url, mode, 'dev-writer')
        const reader = await connected(program.url, mode, 'dev-reader')
        expect(await toolNames(admin)).toEqual(['add', 'publish'])
        expect(await toolNames(writer)).toEqual(['add', 'publish'])
        expect(await toolNames(reader)).toEqual(['publish'])
        expect((await admin.listPrompts()).prompts).toHaveLength(1)
        expect((await writer.listPrompts()).prompts).toHaveLength(0)
        expect((await reader.listResources()).resources).toHaveLength(1)
        expect(await said(writer, 'add', { text: 'x' })).toMatch(/^Note \d$/)
        expect(await said(admin, 'publish')).toMatch(/^Published \d$/)
      },
    )

    it('answers 403 with all the scopes that are needed', async () => {
      const add = await call(program.url, 'dev-reader', 'add', { text: 'x' })
      const insufficient = { status: 403, error: 'insufficient_scope' }
      expect(await refusal(add)).toEqual({ ...insufficient, scope: 'notes:write' })
      const publish = await call(program.url, 'dev-writer', 'publish')
      expect(await refusal(publish)).toEqual({ ...insufficient, scope: 'notes:read notes:publish' })
      const cleanUp = await ask(program.url, 'dev-reader', 'prompts/get', { name: 'clean_up' })
      expect(await refusal(cleanUp)).toEqual({ ...insufficient, scope: 'admin' })
    })
  },

  rules(program) {
    it('opens the caller’s own, and nobody else’s', async () => {
      const read = (token: string, uri: string) => ask(program.url, token, 'resources/read', { uri })
      expect((await read('dev-alice', 'accounts://alice')).status).toBe(200)
      const denied = { status: 403, error: 'access_denied', scope: undefined }
      expect(await refusal(await read('dev-alice', 'accounts://bob'))).toEqual(denied)
      const client = await connected(program.url, 'auto', 'dev-alice')
      expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1)
    })

    it('names the scopes that would help', async () => {
      expect(await textOf(await call(program.url, 'dev-alice', 'pay', { sum: 10 }))).toBe('Paid 10')
      expect(await refusal(await call(program.url, 'dev-alice', 'pay', { sum: 5000 }))).toEqual({
        status: 403,
        error: 'insufficient_scope',
        scope: 'bank bank:large',
      })
      expect(await textOf(await call(program.url, 'dev-bob', 'pay', { sum: 5000 }))).toBe('Paid 5000')
      const text = await refusal(await call(program.url, 'dev-alice', 'pay', { sum: '5000' }))
      expect(text.status).toBe(403)
    })

    it.each(revisions)('hides what may not be used (%s)', async (_revision, mode) => {
      expect(await toolNames(await connected(program.url, mode, 'dev-alice'))).toEqual(['pay', 'report'])
      expect(await toolNames(await connected(program.url, mode, 'dev-bob'))).toEqual(['pay'])
      const denied = await refusal(await call(program.url, 'dev-bob', 'report'))
      expect(denied).toEqual({ status: 403, error: 'access_denied', scope: undefined })
    })
  },

  'optional-auth'(program) {
    it.each(revisions)('serves strangers and knows the others (%s)', async (_revision, mode) => {
      const stranger = await connected(program.url, mode, undefined)
      expect(await toolNames(stranger)).toEqual(['hello'])
      expect(await said(stranger, 'hello')).toBe('Hello stranger')
      const alice = await connected(program.url, mode, 'dev-alice')
      expect(await toolNames(alice)).toEqual(['hello', 'order'])
      expect(await said(alice, 'hello')).toBe('Hello alice')
    })

    it('refuses bad tokens, and strangers where scopes are needed', async () => {
      expect(await refusal(await call(program.url, 'dev-mallory', 'hello'))).toMatchObject({
        status: 401,
        error: 'invalid_token',
      })
      expect(await refusal(await call(program.url, undefined, 'order'))).toMatchObject({
        status: 401,
        scope: 'books:order',
      })
    })
  },

  anonymous(program) {
    it('lets strangers look, and nothing more', async () => {
      const stranger = await connected(program.url, 'auto', undefined)
      expect(await toolNames(stranger)).toEqual(['order'])
      await expect(said(stranger, 'order')).rejects.toThrow()
      expect((await call(program.url, undefined, 'order')).status).toBe(401)
      expect((await ask(program.url, undefined, 'prompts/list')).status).toBe(401)
      expect((await ask(program.url, 'dev-mallory', 'tools/list')).status).toBe(401)
      expect(await textOf(await call(program.url, 'dev-alice', 'order'))).toBe('Ordered for alice')
    })
  },

  'api-key'(program) {
    it('takes either header, and not both', async () => {
      const key = (value: string) => ({ 'x-api-key': value })
      const whoami = { name: 'whoami', arguments: {} }
      const ask2 = (token: string | undefined, headers = {}) =>
        ask(program.url, token, 'tools/call', whoami, {}, headers)
      expect(await textOf(await ask2(undefined, key('dev-alice')))).toBe('alice')
      expect(await textOf(await ask2('dev-alice'))).toBe('alice')
      expect((await ask2(undefined, key('dev-mallory'))).status).toBe(401)
      expect((await ask2('dev-alice', key('dev-alice'))).status).toBe(400)
    })
  },

  middleware(program) {
    it.each(revisions)('stands around every request (%s)', async (_revision, mode) => {
      const alice = await connected(program.url, mode, 'dev-alice')
      expect(await said(alice, 'hello')).toBe('Hello alice')
      await program.line(/^alice tools\/call hello took [\d.]+ ms$/)
      const bob = await connected(program.url, mode, 'dev-bob')
      expect(await toolNames(bob)).toEqual(['hello'])
      await program.line(/^bob tools\/list {2}took [\d.]+ ms$/)
      const outcome = await said(bob, 'hello').catch((error: Error) => error.message)
      expect(outcome).toContain('This account is suspended.')
    })
  },

  mount(program) {
    it.each(revisions)(
      'shows what both servers allow, under names of their own (%s)',
      async (_revision, mode) => {
        const alice = await connected(program.url, mode, 'dev-alice')
        expect(await toolNames(alice)).toEqual(['hello', 'mail_send', 'payroll_pay'])
        expect(await said(alice, 'mail_send')).toBe('Sent for alice')
        expect(await said(alice, 'payroll_pay')).toBe('Paid by alice')
        const bob = await connected(program.url, mode, 'dev-bob')
        expect(await toolNames(bob)).toEqual(['hello'])
        const { contents } = await bob.readResource({ uri: 'box://mail/inbox' })
        expect(contents).toMatchObject([{ uri: 'box://mail/inbox', text: 'Mail of bob' }])
      },
    )

    it('refuses in the words of the mounted server', async () => {
      expect(await refusal(await call(program.url, 'dev-bob', 'mail_send'))).toEqual({
        status: 403,
        error: 'insufficient_scope',
        scope: 'mail:send',
      })
      expect(await refusal(await call(program.url, 'dev-bob', 'payroll_pay'))).toMatchObject({
        status: 403,
        error: 'access_denied',
      })
      expect((await call(program.url, undefined, 'payroll_pay')).status).toBe(401)
    })
  },

  limits(program) {
    it('lets each principal use a tool so often a minute', async () => {
      const statuses: number[] = []
      for (let time = 1; time <= 4; time++) {
        const answer = await call(program.url, 'dev-alice', 'send', { text: 'x' })
        statuses.push(answer.status)
        if (time < 4) await answer.text()
        else {
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
          expect(await answer.json()).toEqual({ error: 'rate_limited' })
        }
      }
      expect(statuses).toEqual([200, 200, 200, 429])
      expect((await call(program.url, 'dev-bob', 'send', { text: 'x' })).status).toBe(200)
    })

    it.each(revisions)('sends lists page by page (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, 'dev-bob')
      expect(await toolNames(client)).toEqual(['send', 'count', 'search'])
      const answer = await ask(program.url, 'dev-bob', 'tools/list')
      const { result } = (await answer.json()) as { result: { tools: object[]; nextCursor: string } }
      expect(result.tools).toHaveLength(2)
      expect(result).toMatchObject({ ttlMs: 60_000, cacheScope: 'private' })
      const rest = await ask(program.url, 'dev-bob', 'tools/list', { cursor: result.nextCursor })
      expect(await rest.json()).toMatchObject({ result: { tools: [{ name: 'search' }] } })
    })

    it('takes no larger body', async () => {
      const large = await call(program.url, 'dev-bob', 'send', { text: 'x'.repeat(70_000) })
      expect(large.status).toBe(413)
      await large.text()
    })

    it('looks at no more tokens of who sends bad ones, but at those it knows', async () => {
      const fresh = await startProgram('limits')
      expect((await call(fresh.url, 'dev-alice', 'count')).status).toBe(200)
      const statuses: number[] = []
      for (let time = 1; time <= 6; time++) {
        const answer = await call(fresh.url, `dev-guess-${time}`, 'count')
        statuses.push(answer.status)
        await answer.text()
      }
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
      expect((await call(fresh.url, 'dev-bob', 'count')).status).toBe(429)
      expect((await call(fresh.url, 'dev-alice', 'count')).status).toBe(200)
    })
  },

  routes(program) {
    const get = (path: string, token?: string) => fetch(program.at(path), { headers: bearer(token) })

    it('protects routes unless they say otherwise', async () => {
      expect(await (await get('/report.csv', 'dev-alice')).text()).toBe('owner\nalice\n')
      expect(await refusal(await get('/report.csv'))).toMatchObject({ status: 401, error: 'unauthorized' })
      expect(await (await get('/version')).json()).toEqual({ version: 1 })
    })

    it('reads bodies, and answers only the methods of the route', async () => {
      const upload = (method: string) =>
        fetch(program.at('/upload'), { method, headers: bearer('dev-alice'), body: 'hello' })
      const answer = await upload('PUT')
      expect(answer.status).toBe(201)
      expect(await answer.json()).toEqual({ owner: 'alice', length: 5 })
      expect((await upload('PATCH')).status).toBe(405)
      expect((await fetch(program.at('/upload'), { method: 'POST', body: 'hello' })).status).toBe(401)
    })
  },
}
