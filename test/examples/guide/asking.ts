import type { Client } from '@modelcontextprotocol/client'
import { expect, it } from 'vitest'
import {
  ask,
  askOld,
  bearer,
  connected,
  type GuideTests,
  hello,
  revisions,
  said,
  type Told,
} from './world.ts'

const alice = 'dev-alice'

/** A client behind which somebody answers each form in turn. */
function answering(...answers: object[]) {
  const asked: unknown[] = []
  return {
    asked,
    capabilities: { elicitation: { form: {}, url: {} } },
    prepare(client: Client) {
      client.setRequestHandler('elicitation/create', ({ params }) => {
        asked.push(params)
        return { ...(answers[asked.length - 1] ?? { action: 'cancel' }) } as { action: 'accept' }
      })
    },
  }
}

/** What a server asks of its client. */
export const asking: GuideTests = {
  'elicit-form'(program) {
    it.each(revisions)('books what was filled in (%s)', async (_revision, mode) => {
      const person = answering({ action: 'accept', content: { guests: 4, outside: true } })
      const client = await connected(program.url, mode, alice, person)
      expect(await said(client, 'book', { restaurant: 'Da Pino' })).toBe('Booked for 4, outside.')
      expect(person.asked).toMatchObject([
        {
          message: 'A table at Da Pino: for how many, and where?',
          requestedSchema: { properties: { guests: { type: 'integer' }, outside: { type: 'boolean' } } },
        },
      ])
    })

    it.each(revisions)('takes a no for a no (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice, answering({ action: 'decline' }))
      expect(await said(client, 'book', { restaurant: 'Da Pino' })).toBe('Nothing was booked.')
    })

    it('asks again when the answer does not fit the form', async () => {
      const person = answering(
        { action: 'accept', content: { guests: 4.5, outside: true } },
        { action: 'accept', content: { guests: 5, outside: false } },
      )
      const { capabilities } = person
      const asked = await ask(program.url, alice, 'tools/call', booking, capabilities)
      const { result } = (await asked.json()) as Told
      expect(result.resultType).toBe('input_required')
      const client = await connected(program.url, 'auto', alice, person)
      expect(await said(client, 'book', { restaurant: 'Da Pino' })).toBe('Booked for 5, inside.')
      expect(person.asked).toHaveLength(2)
    })
  },

  'elicit-url'(program) {
    it.each(revisions)('sends the person to the page (%s)', async (_revision, mode) => {
      const person = answering({ action: 'accept' })
      const client = await connected(program.url, mode, alice, person)
      expect(await said(client, 'connect')).toBe('Waiting for the sign-in.')
      expect(person.asked).toMatchObject([{ mode: 'url', url: 'https://calendar.example.com/connect' }])
      const other = await connected(program.url, mode, alice, answering({ action: 'decline' }))
      expect(await said(other, 'connect')).toBe('Not connected.')
    })
  },

  sampling(program) {
    it.each(revisions)('asks the model and for the folders (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice, {
        capabilities: { sampling: {}, roots: {} },
        prepare(made) {
          made.setRequestHandler('sampling/createMessage', ({ params }) => ({
            role: 'assistant' as const,
            content: { type: 'text' as const, text: `${params.systemPrompt} Rain.` },
            model: 'small-1',
          }))
          made.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///home/alice' }] }))
        },
      })
      const { structuredContent } = await client.callTool({
        name: 'headline',
        arguments: { text: 'It rains.' },
      })
      expect(structuredContent).toEqual({
        headline: { type: 'text', text: 'Answer with a headline. Rain.' },
        by: 'small-1',
        folders: ['file:///home/alice'],
      })
    })

    it('asks both in one round', async () => {
      const params = { name: 'headline', arguments: { text: 'It rains.' } }
      const answer = await ask(program.url, alice, 'tools/call', params, { sampling: {}, roots: {} })
      const { result } = (await answer.json()) as Told
      expect(result.inputRequests).toMatchObject({
        'input-1': { method: 'sampling/createMessage' },
        'input-2': { method: 'roots/list' },
      })
    })

    it.each(revisions)('tells a client without a model (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice)
      expect(await said(client, 'headline', { text: 'x' })).toBe('This needs a client with a model.')
    })
  },

  sessions(program) {
    const open = async (token: string) => {
      const answer = await askOld(program.url, token, 'initialize', hello)
      await answer.text()
      return answer.headers.get('mcp-session-id')!
    }
    const used = async (token: string, session?: string) => {
      const answer = await askOld(
        program.url,
        token,
        'tools/call',
        { name: 'whoami', arguments: {} },
        session,
      )
      await answer.text()
      return answer.status
    }

    it('opens a session that belongs to who opened it', async () => {
      const session = await open('dev-alice')
      expect(await used('dev-alice', session)).toBe(200)
      expect(await used('dev-bob', session)).toBe(404)
      expect(await used('dev-alice')).toBe(400)
      const headers = { ...bearer('dev-alice'), 'mcp-session-id': session }
      expect((await fetch(program.url, { method: 'DELETE', headers })).status).toBe(204)
      expect(await used('dev-alice', session)).toBe(404)
    })

    it('makes room for a third one of the same principal', async () => {
      const sessions = [await open('dev-bob'), await open('dev-bob'), await open('dev-bob')]
      const after: number[] = []
      for (const session of sessions) after.push(await used('dev-bob', session))
      expect(after).toEqual([404, 200, 200])
    })
  },

  stateless(program) {
    it.each(revisions)('answers without a session (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice)
      expect(await said(client, 'whoami')).toBe('alice')
      const alone = await askOld(program.url, alice, 'tools/call', { name: 'whoami', arguments: {} })
      expect(alone.status).toBe(200)
      expect(alone.headers.get('mcp-session-id')).toBeNull()
      await alone.text()
    })

    it('has nothing to GET', async () => {
      const answer = await fetch(program.url, { headers: { accept: 'text/event-stream', ...bearer(alice) } })
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
      await answer.text()
    })

    it('asks clients of 2026-07-28, and tells others that it cannot', async () => {
      const person = answering({ action: 'accept', content: { sure: true } })
      expect(await said(await connected(program.url, 'auto', alice, person), 'confirm')).toBe('accept')
      const old = await connected(program.url, 'legacy', alice, answering())
      expect(await said(old, 'confirm')).toContain('in a session')
    })
  },
}

const booking = { name: 'book', arguments: { restaurant: 'Da Pino' } }
