import type { Client } from '@modelcontextprotocol/client'
import { describe, expect, it, vi } from 'vitest'
import { answerWith, type ClientHandlers, capabilitiesOf } from './handlers.ts'

type Registered = (request: { params: object }, context: object) => Promise<unknown>

/** What the handlers make of a request, without a connection. */
async function asked(handlers: ClientHandlers, method: string, params: object): Promise<unknown> {
  const registered = new Map<string, Registered>()
  const sdk = { setRequestHandler: (name: string, handler: Registered) => registered.set(name, handler) }
  answerWith(sdk as unknown as Client, handlers)
  return registered.get(method)?.({ params }, { mcpReq: { signal: new AbortController().signal } })
}

describe('handlers', () => {
  it.each(['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'not a URL'])(
    'a page that is no web page is not shown to anybody: %s',
    async (url) => {
      const elicitUrl = vi.fn()
      const answer = asked({ elicitUrl }, 'elicitation/create', { mode: 'url', url, message: '' })
      await expect(answer).rejects.toMatchObject({ code: -32_602 })
      expect(elicitUrl).not.toHaveBeenCalled()
    },
  )

  it('a form is refused by a client that only opens pages, and the other way round', async () => {
    const handler = vi.fn()
    const form = { message: '', requestedSchema: { type: 'object', properties: {} } }
    const page = { mode: 'url', url: 'https://example.com', message: '' }
    await expect(asked({ elicitUrl: handler }, 'elicitation/create', form)).rejects.toThrow('did not declare')
    await expect(asked({ elicit: handler }, 'elicitation/create', page)).rejects.toThrow('did not declare')
    expect(handler).not.toHaveBeenCalled()
  })

  it('a request that brings tools goes to the handler for those, and no other', async () => {
    const sample = vi.fn()
    const sampleWithTools = vi.fn()
    await asked({ sample, sampleWithTools }, 'sampling/createMessage', { tools: [] })
    await asked({ sample, sampleWithTools }, 'sampling/createMessage', {})
    expect([sample, sampleWithTools].map(({ mock }) => mock.calls.length)).toEqual([1, 1])
    await asked({ sampleWithTools }, 'sampling/createMessage', {})
    expect(sampleWithTools).toHaveBeenCalledTimes(2)
    await expect(asked({ sample }, 'sampling/createMessage', { tools: [] })).rejects.toThrow(
      'did not declare',
    )
  })

  it('what a handler throws is kept for whoever made the call', async () => {
    const cause = new Error('secret')
    const roots = () => {
      throw cause
    }
    const answer = asked({ roots }, 'roots/list', {})
    await expect(answer).rejects.toMatchObject({
      message: 'The client failed to answer',
      code: -32_603,
      cause,
    })
  })

  it('a server that asks too much at once is not answered', async () => {
    const registered = new Map<string, Registered>()
    const sdk = { setRequestHandler: (name: string, handler: Registered) => registered.set(name, handler) }
    let answer: () => void = () => {}
    const pending = new Promise<void>((resolve) => {
      answer = resolve
    })
    const elicit = vi.fn(async () => {
      await pending
      return { action: 'cancel' as const }
    })
    answerWith(sdk as unknown as Client, { elicit })
    const ask = async () =>
      registered.get('elicitation/create')?.(
        { params: {} },
        { mcpReq: { signal: new AbortController().signal } },
      )
    const asked = Array.from({ length: 16 }, ask)
    await expect(ask()).rejects.toThrow('too many questions')
    expect(elicit).toHaveBeenCalledTimes(16)
    answer()
    await Promise.all(asked)
    expect(await ask()).toEqual({ action: 'cancel' })
  })

  it('only what is there is declared', () => {
    const handler = () => undefined as never
    expect(capabilitiesOf({})).toEqual({})
    expect(capabilitiesOf({ log: handler, elicitUrlDone: handler })).toEqual({})
    expect(capabilitiesOf({ elicit: handler })).toEqual({ elicitation: { form: { applyDefaults: true } } })
    expect(capabilitiesOf({ elicitUrl: handler })).toEqual({ elicitation: { url: {} } })
    expect(capabilitiesOf({ sample: handler })).toEqual({ sampling: {} })
    expect(capabilitiesOf({ sampleWithTools: handler, roots: [] })).toEqual({
      sampling: { tools: {} },
      roots: { listChanged: true },
    })
  })
})
