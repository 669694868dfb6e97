import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as sdk from '@modelcontextprotocol/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AccessToken } from '../core/index.ts'
import { requestHead } from '../http/head.ts'
import { customRoutes } from './custom-routes.ts'
import { exchange } from './exchange.ts'
import { checkedSessions } from './http-options.ts'
import { webIncoming } from './incoming.ts'
import { EventStream } from './reply.ts'
import { serverParts } from './server-parts.ts'
import { sessionLane } from './sessions.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** The sessions of a server, with nothing in front of them. */
function lane(limits = {}) {
  let now = Date.UTC(2026, 0, 1)
  const { served } = serverParts({ name: 'x', clock: () => now }, {}, [], customRoutes())
  const own = sessionLane(sdk, served, checkedSessions(limits))
  const who = (sub: string) => new AccessToken({ token: `token-of-${sub}`, subject: sub, issuer: 'i' })

  function send(sub: string, method: string, session?: string, body?: object) {
    const headers = {
      accept: 'application/json, text/event-stream',
      ...(session !== undefined && { 'mcp-session-id': session }),
    }
    const request = new Request('http://localhost/mcp', { method, headers })
    const incoming = webIncoming(request, requestHead(request), new Set())
    return own.respond(incoming, body, exchange(who(sub), served.covers, incoming))
  }

  async function open(sub: string): Promise<string> {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    }
    const outcome = await send(sub, 'POST', undefined, {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params,
    })
    if (outcome.kind !== 'reply') throw new Error(outcome.kind)
    return outcome.reply.headers['mcp-session-id'] ?? 'none'
  }

  return {
    table: own.table,
    close: own.close,
    open,
    send,
    pass(ms: number) {
      now += ms
      vi.advanceTimersByTime(15_000)
    },
  }
}

describe('the table of sessions', () => {
  it('FL-14 2,000 sessions that were opened and dropped leave nothing behind, neither in it nor in memory', async () => {
    const { table, open, pass } = lane({ maxPerPrincipal: 1000 })
    const ids = new Set<string>()
    for (let at = 0; at < 2000; at++) ids.add(await open(`somebody-${at % 3}`))
    expect([ids.size, table.size]).toEqual([2000, 2000])
    const all = [...ids].map((id, at) => new WeakRef(table.find(id, ownerOf(at))!))
    pass(1_799_000)
    expect(table.size).toBe(2000)
    pass(1000)
    expect(table.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
    await collected()
    expect(all.filter((session) => session.deref() !== undefined)).toEqual([])
  })

  it('FL-07 a failed initialize leaves nothing in it', async () => {
    const { table, send } = lane()
    for (let at = 0; at < 1000; at++) {
      const message = { jsonrpc: '2.0', id: at, method: 'initialize', params: { protocolVersion: 7 } }
      await send('somebody', 'POST', undefined, message)
    }
    expect([table.size, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('a stream that is open is use; when it has ended the session may be idle as long as any other', async () => {
    const { table, open, send, pass } = lane({ idleMs: 60_000 })
    const id = await open('somebody')
    const outcome = await send('somebody', 'GET', id)
    const stream = outcome.kind === 'reply' ? outcome.reply : undefined
    if (!(stream instanceof EventStream)) throw new Error('no stream')
    stream.attach({ write() {}, end() {} })
    for (let at = 0; at < 10; at++) pass(60_000)
    expect(table.size).toBe(1)
    stream.close()
    pass(59_999)
    expect(table.size).toBe(1)
    pass(1)
    expect(table.size).toBe(0)
  })

  it('takes no more when it was closed', async () => {
    const { table, open, close } = lane()
    await open('somebody')
    const late = open('somebody')
    close()
    await expect(late).rejects.toThrow('refused')
    await expect(open('somebody')).rejects.toThrow('refused')
    expect([table.size, vi.getTimerCount()]).toEqual([0, 0])
  })
})

function ownerOf(at: number): string {
  return JSON.stringify(['sub', 'i', `somebody-${at % 3}`])
}

/** Has the garbage collected, and what is freed only then. */
async function collected(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let at = 0; at < 3; at++) {
    // A WeakRef keeps its object until the turn is over.
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
}
