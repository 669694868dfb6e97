import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

const eras = [
  ['everything.mjs', { pin: '2026-07-28' }, '2026-07-28'],
  ['everything.mjs', 'legacy', '2025-11-25'],
  ['everything-legacy.mjs', 'auto', '2025-06-18'],
] as const

async function connected(file: string, mode: (typeof eras)[number][1]) {
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode }, capabilities: { elicitation: {}, sampling: {} } },
  )
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }))
  client.setRequestHandler('sampling/createMessage', () => ({
    role: 'assistant',
    model: 'm',
    content: { type: 'text', text: 'sampled' },
  }))
  const args = [fileURLToPath(new URL(`./fixtures/${file}`, import.meta.url))]
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env: { ONLY: '1' } }))
  onTestFinished(() => client.close())
  const call = async (name: string, args: Record<string, unknown> = {}, options = {}) => {
    const { content } = await client.callTool({ name, arguments: args }, options)
    return (content as { text: string }[])[0]!.text
  }
  return { client, call }
}

describe.each(eras)('the server of the fixtures %s, asked as %j', (file, mode, revision) => {
  it('has something of everything', async () => {
    const { client, call } = await connected(file, mode)
    expect(client.getNegotiatedProtocolVersion()).toBe(revision)
    expect(await call('echo', { text: 'ä' })).toBe('ä')
    expect(await call('add', { a: 1, b: 2 })).toBe('3')
    expect(JSON.parse(await call('env'))).toMatchObject({ ONLY: '1' })
    expect(await call('big', { bytes: 100_000 })).toHaveLength(100_000)
    const steps: number[] = []
    const onprogress = ({ progress }: { progress: number }) => void steps.push(progress)
    expect(await call('progress', { steps: 3 }, { onprogress })).toBe('after 3')
    // Those that come together with the answer are nobody's any more in this client.
    expect([1, 2, 3].slice(0, steps.length)).toEqual(steps)
    expect(await call('log', { text: 'x' })).toBe('logged')
    expect(await call('elicit')).toBe('hello Ada')
    expect(await call('sample', { text: 'x' })).toContain('sampled')
    const { tools } = await client.listTools()
    expect(tools.find(({ name }) => name === 'echo')?.annotations).toMatchObject({ readOnlyHint: true })
    expect(await client.readResource({ uri: 'count://now' })).toMatchObject({ contents: [{ text: '0' }] })
    const prompt = await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } })
    expect(prompt.messages).toMatchObject([{ content: { text: 'Greet Ada.' } }])
  })

  it('can be cancelled, tells of changes, and crashes', async () => {
    const { client, call } = await connected(file, mode)
    const given = new AbortController()
    const slow = call('slow', {}, { signal: given.signal })
    await call('echo', { text: 'it has begun' })
    given.abort()
    await expect(slow).rejects.toThrow()
    await vi.waitFor(async () => expect(await call('cancelled')).toBe('1'))
    const updates: string[] = []
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      updates.push(params.uri)
    })
    if (revision === '2026-07-28') {
      await client.listen({ resourceSubscriptions: ['count://now'] })
    } else await client.subscribeResource({ uri: 'count://now' })
    expect(await call('count')).toBe('1')
    await vi.waitFor(() => expect(updates).toEqual(['count://now']))
    await expect(call('crash')).rejects.toThrow()
  })
})
