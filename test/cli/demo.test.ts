import { Client } from 'mcp-bearer/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Demo, demoAudience, startDemo } from '../../src/cli/demo/server.ts'

let running: Demo
beforeAll(async () => {
  running = await startDemo(0, 'memory:')
})
afterAll(() => running.close())

const tokenFor = (subject: string, ...scopes: string[]) =>
  running.issuer.mint({ subject, audience: demoAudience, scopes })

async function connected(answers?: ConstructorParameters<typeof Client>[1]): Promise<Client> {
  return new Client(running.listening.url, { auth: await tokenFor('alice', 'reports:read'), ...answers })
}

describe('what there is to look at in the demo', () => {
  it('has an inspector that knows of the keys, and says who the caller is', async () => {
    const at = (path: string) => new URL(path, running.inspector)
    expect((await fetch(running.inspector)).headers.get('content-type')).toMatch(/^text\/html/)
    expect(await (await fetch(at('/inspector/config.json'))).json()).toMatchObject({ keys: '/admin' })
    const headers = { authorization: `Bearer ${await tokenFor('alice', 'reports:read')}` }
    expect(await (await fetch(at('/inspector/whoami'), { headers })).json()).toMatchObject({
      subject: 'alice',
      scopes: ['reports:read'],
    })
    expect((await fetch(at('/admin/keys'), { headers })).status).toBe(403)
    const root = { authorization: `Bearer ${await tokenFor('root', 'keys:admin')}` }
    const { keys } = (await (await fetch(at('/admin/keys'), { headers: root })).json()) as {
      keys: { name: string }[]
    }
    expect(keys.map(({ name }) => name)).toEqual(['first key'])
  })

  it('has a form of every kind, with a result that is structured', async () => {
    await using client = await connected()
    const to = { city: 'Malmö', country: 'SE' }
    const items = [{ name: 'book', quantity: 2 }]
    const full = { weightKg: 2, service: 'express', to, items, insured: true, pickup: '2026-01-02' }
    expect((await client.callTool('quote_parcel', full)).structuredContent).toEqual({
      price: 26,
      currency: 'EUR',
      days: 1,
      lines: ['2 kg to Malmö, SE', '2 × book'],
    })
    const least = { weightKg: 1.5, service: 'standard', to }
    expect((await client.callTool('quote_parcel', least)).structuredContent).toMatchObject({ price: 9.5 })
    for (const wrong of [
      {},
      { ...least, weightKg: 0 },
      { ...least, to: { city: 'Malmö', country: 'Sweden' } },
    ])
      await expect(client.callTool('quote_parcel', wrong)).rejects.toThrow()
  })

  it('draws a picture', async () => {
    await using client = await connected()
    const { content } = await client.callTool('draw_gradient', { hue: 20 })
    expect(content).toMatchObject([{ type: 'text' }, { type: 'image', mimeType: 'image/png' }])
    const { data } = content[1] as { data: string }
    expect(Buffer.from(data, 'base64').subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
  })

  it('fails, and lacks what alice may not', async () => {
    await using client = await connected()
    await expect(client.callTool('always_fails')).rejects.toThrow(/out of paper/)
    const names = (await client.listTools()).map(({ name }) => name)
    expect(names).toContain('read_report')
    expect(names).not.toContain('write_report')
    await expect(client.callTool('write_report', { text: 'x' })).rejects.toMatchObject({
      code: 'insufficient_scope',
    })
  })

  it.each([
    [{ action: 'accept', content: { confirm: true, reason: 'old' } }, /because it is old/],
    [{ action: 'accept', content: { confirm: false } }, /Nothing was archived/],
    [{ action: 'decline' }, /Nothing was archived/],
  ] as const)('asks before it acts: %j', async (answer, text) => {
    const questions: string[] = []
    await using client = await connected({
      handlers: {
        elicit: async ({ message }) => {
          questions.push(message)
          return answer
        },
      },
    })
    expect((await client.callTool('archive_report')).content).toMatchObject([
      { text: expect.stringMatching(text) },
    ])
    expect(questions).toEqual(['Archive the quarterly report?'])
  })

  it('has something to read, a template and a prompt', async () => {
    await using client = await connected()
    const text = async (uri: string) => JSON.stringify((await client.readResource(uri)).contents)
    expect(await text('notes://welcome')).toContain('# Welcome')
    expect(await text('reports://2026/Q1')).toContain('Revenue is up')
    const { messages } = await client.getPrompt('summarize_report', { quarter: 'Q1', audience: 'board' })
    expect(messages).toMatchObject([{ content: { text: 'Summarize the report of Q1 for board.' } }])
  })
})
