import { AuthError, MCPServer } from 'mcp-bearer/server'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { askRaw, openConnection } from '../http/support.ts'
import { alice, answerOf, bob, directory, memoryLog, post, revisions, rpc, textOf } from './fixtures.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function serve(
  add: (server: MCPServer) => void,
  options: Partial<ConstructorParameters<typeof MCPServer>[0]> = {},
) {
  const log = memoryLog()
  const server = new MCPServer(
    { name: 'hostile', auth: directory(), logger: log.logger, ...options },
    { sessions: false },
  )
  add(server)
  open.push(server)
  return { server, ...(await server.listen({ port: 0 })), ...log }
}

describe('a verifier that breaks', () => {
  it.each<[string, () => unknown]>([
    [
      'an AuthError whose code was overwritten',
      () => Object.assign(new AuthError('verifier_unavailable'), { code: 'ECONNREFUSED' }),
    ],
    [
      'an AuthError with scopes that are none',
      () => Object.assign(new AuthError('insufficient_scope'), { scopes: [1, null, Symbol('x')] }),
    ],
    [
      'an AuthError with a wait that is no number',
      () => Object.assign(new AuthError('verifier_unavailable'), { retryAfter: 5n }),
    ],
    [
      'an error whose message cannot be read',
      () =>
        Object.defineProperty(new Error('x'), 'message', {
          get() {
            throw new Error('LEAK')
          },
        }),
    ],
    [
      'a revoked proxy',
      () => {
        const { proxy, revoke } = Proxy.revocable(new Error('x'), {})
        revoke()
        return proxy
      },
    ],
  ])('B-106 lets nobody in and is an answer: %s', async (_what, thrown) => {
    let ran = 0
    const auth = {
      verifyToken: async () => {
        throw thrown()
      },
    }
    const { url, server } = await serve((made) => made.tool('wipe', {}, () => ++ran), { auth })
    for (const revision of revisions) {
      const call = () => post(url, rpc('tools/call', { name: 'wipe' }, revision), 'garbage')
      for (const response of [await fetch(call()), await server.fetch(call())]) {
        expect(response.status).toBeGreaterThanOrEqual(403)
        expect(await response.text()).not.toMatch(/LEAK|ECONN/)
      }
    }
    expect(ran).toBe(0)
  })
})

describe('a handler that does not wait', () => {
  it.each(revisions)(
    'for its own progress and log lines harms nobody when the caller leaves (%s)',
    async (revision) => {
      let started = () => {}
      let finished = () => {}
      const [begun, done] = [
        new Promise<void>((go) => (started = go)),
        new Promise<void>((go) => (finished = go)),
      ]
      const { url, port } = await serve((server) => {
        server.tool('chatty', {}, async (_args, ctx) => {
          started()
          await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve, { once: true }))
          const self: Record<string, unknown> = {}
          self.self = self
          void ctx.log('info', self)
          for (let n = 0; n < 5; n++) {
            void ctx.log('info', n)
            void ctx.progress(n)
            await new Promise((resolve) => setImmediate(resolve))
          }
          finished()
        })
      })
      const message = rpc('tools/call', { name: 'chatty', _meta: { progressToken: 1 } }, revision)
      const connection = openConnection(port)
      const lines = Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`)
      const head = [
        'POST /mcp HTTP/1.1',
        `Host: localhost:${port}`,
        `Authorization: Bearer ${alice}`,
        ...lines,
      ]
      const left = connection
        .ask([...head, `Content-Length: ${message.body.length}`, '', message.body].join('\r\n'))
        .catch(() => 'left')
      await begun
      connection.close()
      await done
      await left
      expect((await fetch(new URL('/health', url))).status).toBe(200)
    },
  )
})

describe('a result that JSON cannot hold', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const deep = () => {
    let value: unknown[] = []
    for (let n = 0; n < 20_000; n++) value = [value]
    return { value }
  }
  const throwing = {
    toJSON() {
      throw new Error('no')
    },
  }
  it.each<[string, unknown]>([
    ['a cycle in a full result', { content: [], structuredContent: cycle }],
    ['a BigInt in a full result', { content: [], structuredContent: { n: 5n } }],
    ['a toJSON that throws', { content: [], structuredContent: throwing }],
    ['a cycle in _meta', { content: [], _meta: cycle }],
    ['a cycle in a content block', { type: 'text', text: 'x', _meta: cycle }],
    ['an object nested too deeply', deep()],
    ['a full result nested too deeply', { content: [], structuredContent: deep() }],
  ])('is an error and not silence: %s', async (_what, result) => {
    const { url, entries } = await serve((server) => server.tool('bad', {}, () => result))
    for (const revision of revisions) {
      const answer = await answerOf(
        await fetch(post(url, rpc('tools/call', { name: 'bad' }, revision), alice)),
      )
      expect(answer.result?.isError).toBe(true)
    }
    expect(entries.filter((entry) => entry.event === 'handler_failed')).toHaveLength(2)
  })

  it('is an error of a resource and of a prompt, too', async () => {
    const { url } = await serve((server) => {
      server.resource('x://y', {}, () => ({ uri: 'x://y', text: 'x', _meta: cycle }))
      server.prompt('p', {}, () => [{ role: 'user', content: { type: 'text', text: 'x', _meta: cycle } }])
    })
    for (const revision of revisions) {
      const resource = await answerOf(
        await fetch(post(url, rpc('resources/read', { uri: 'x://y' }, revision), alice)),
      )
      const prompt = await answerOf(
        await fetch(post(url, rpc('prompts/get', { name: 'p' }, revision), alice)),
      )
      expect([resource.error?.code, prompt.error?.code]).toEqual([-32603, -32603])
    }
  })

  it.each([5, 'abc', null, [1]])(
    'a prompt and a resource with a _meta that is %j are errors, and the log says so',
    async (_meta) => {
      const { url, entries } = await serve((server) => {
        server.resource('x://y', {}, () => ({ contents: [{ uri: 'x://y', text: 'x', _meta }] }))
        server.prompt('p', {}, () => ({
          messages: [{ role: 'user', content: { type: 'text', text: 'x' } }],
          _meta,
        }))
      })
      for (const revision of revisions) {
        for (const message of [
          rpc('resources/read', { uri: 'x://y' }, revision),
          rpc('prompts/get', { name: 'p' }, revision),
        ]) {
          const answer = await answerOf(await fetch(post(url, message, alice)))
          expect(answer.error?.code).toBe(-32603)
        }
      }
      expect(entries.length).toBe(4)
    },
  )

  it('what an outputSchema strips is in no part of the result', async () => {
    const { url } = await serve((server) => {
      const outputSchema = z.object({ name: z.string() })
      server.tool('user', { outputSchema }, () => ({ name: 'a', passwordHash: 'SECRET' }))
    })
    for (const revision of revisions) {
      const answer = await answerOf(
        await fetch(post(url, rpc('tools/call', { name: 'user' }, revision), alice)),
      )
      expect(answer.result?.structuredContent).toEqual({ name: 'a' })
      expect(JSON.stringify(answer)).not.toContain('SECRET')
    }
  })

  it('a promise of another library has the same time limit', async () => {
    const { url } = await serve((server) => {
      // What query builders return.
      const builder = Object.defineProperty({}, 'then', { value: () => {} })
      server.tool('hangs', { timeoutMs: 50 }, () => builder)
    })
    const answer = await answerOf(await fetch(post(url, rpc('tools/call', { name: 'hangs' }), alice)))
    expect(textOf(answer)).toMatch(/was given up$/)
  })

  it('B-33 a body nested too deeply is a 400, and an echo of one that is not comes back', async () => {
    const { url } = await serve((server) => {
      server.tool('echo', { inputSchema: z.object({ value: z.unknown() }) }, (args) => args)
    })
    const call = async (depth: number) => {
      const message = rpc('tools/call', { name: 'echo', arguments: { value: 0 } })
      const body = message.body.replace('"value":0', `"value":${'['.repeat(depth)}${']'.repeat(depth)}`)
      return fetch(post(url, { ...message, body }, alice))
    }
    expect((await answerOf(await call(50))).result?.structuredContent).toBeDefined()
    for (const depth of [300, 5000, 500_000]) expect((await call(depth)).status).toBe(400)
  })
})

describe('a resource URI in another spelling', () => {
  it('D-30 does not walk around the scopes of a resource', async () => {
    const { url } = await serve((server) => {
      server.resource('files://secret', { scopes: ['admin'] }, () => 'secret')
      server.resource('files://{id}', {}, ({ id }) => `open ${id}`)
      server.resource('docs://private/{+path}', { scopes: ['admin'] }, () => 'secret')
      server.resource('docs://{+path}', {}, ({ path }) => `open ${path}`)
    })
    const read = async (uri: string, token: string) =>
      answerOf(await fetch(post(url, rpc('resources/read', { uri }, '2025-11-25'), token)))
    const text = async (uri: string) => {
      const { result } = await read(uri, bob)
      return (result?.contents as { text: string }[] | undefined)?.[0]?.text
    }
    for (const uri of [
      'files://secret',
      'files://%73ecret',
      'files://s%65cret',
      'docs://private/a',
      'docs://%70rivate/a',
      'docs://privat%65/%61',
    ]) {
      expect([uri, await read(uri, bob)]).toEqual([
        uri,
        expect.objectContaining({ error: 'insufficient_scope' }),
      ])
    }
    expect(await text('files://other')).toBe('open other')
    expect(await text('files://a%20b')).toBe('open a b')
    // What a slash in disguise means is not decided here: it stays in disguise, or is no segment.
    expect(await text('docs://private%2Fa')).toBe('open private%2Fa')
    expect((await read('files://a%2Fb', bob)).error).toBeDefined()
  })
})

describe('a resource URI in any other spelling', () => {
  it.each([
    ['files://r%C3%A9sum%C3%A9', 'files://résumé'],
    ['files://résumé', 'files://r%C3%A9sum%C3%A9'],
    ['files://a@b', 'files://a%40b'],
    ['files://x!y', 'files://x%21y'],
    ['files://my%20doc', 'files://my doc'],
    ['files://h/a[b', 'files://h/a%5Bb'],
    ['files://a#b', 'files://a%23b'],
    ['files://a?b', 'files://a%3Fb'],
    ['files://h/a|b', 'files://h/a%7cb'],
    ['files://été/{+path}', 'files://%C3%A9t%C3%A9/x'],
    ['files://u/{+path}', 'files://%75/x'],
  ])('D-30 does not walk around the scopes of %s: %s', async (scoped, uri) => {
    const { url } = await serve((server) => {
      server.resource(scoped, { scopes: ['admin'] }, () => 'secret')
      server.resource('files://{id}', {}, ({ id }) => `open ${id}`)
      server.resource('files://{id}/x', {}, ({ id }) => `open ${id}`)
      server.resource('files://h/{id}', {}, ({ id }) => `open ${id}`)
    })
    const response = await fetch(post(url, rpc('resources/read', { uri }, '2025-11-25'), bob))
    expect(await response.text()).not.toContain('open')
  })
})

describe('odd requests', () => {
  it('D-25 a batch is a 400 in both revisions, and nothing in it runs', async () => {
    let ran = 0
    const { url } = await serve((server) => server.tool('count', {}, () => ++ran))
    for (const revision of revisions) {
      const message = rpc('tools/call', { name: 'count' }, revision)
      const response = await fetch(
        post(url, { ...message, body: `[${message.body},${message.body}]` }, alice),
      )
      expect(response.status).toBe(400)
      expect(await answerOf(response)).toMatchObject({ error: { code: -32600 } })
    }
    expect(ran).toBe(0)
  })

  it('A-50 every other verb with a token is a 405 that allows POST, TRACE too', async () => {
    const { port, entries } = await serve(() => {})
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'LINK']) {
      const lines = [
        `${method} /mcp HTTP/1.1`,
        `Host: localhost:${port}`,
        `Authorization: Bearer ${alice}`,
        '',
        '',
      ]
      const answer = await askRaw(port, lines.join('\r\n'))
      expect([method, answer.status, answer.header('allow')]).toEqual([method, 405, ['POST']])
    }
    expect(entries).toEqual([])
  })

  it('a caller of HTTP/1.0, and one on somebody else’s server, gets no 100 from us', async () => {
    const { port } = await serve(() => {})
    const message = rpc('ping', {}, '2025-11-25')
    const lines = Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`)
    const head = ['POST /mcp HTTP/1.0', `Host: localhost:${port}`, `Authorization: Bearer ${alice}`, ...lines]
    const answer = await askRaw(
      port,
      [...head, 'Expect: 100-continue', `Content-Length: ${message.body.length}`, '', message.body].join(
        '\r\n',
      ),
    )
    expect(answer.status).toBe(200)
  })
})

describe('a logger that throws', () => {
  it('changes no answer and ends no process', async () => {
    const logger = () => {
      throw new Error('disk full LEAK')
    }
    const { url } = await serve(
      (server) => {
        server.tool('fails', {}, () => {
          throw new Error('x')
        })
      },
      { logger },
    )
    const answer = await answerOf(await fetch(post(url, rpc('tools/call', { name: 'fails' }), alice)))
    expect(answer.result?.isError).toBe(true)
    expect(textOf(answer)).not.toContain('LEAK')
  })
})

describe('the log', () => {
  it('A-18 never holds the token or a part of it, whatever is thrown', async () => {
    const token = 'aaaaaaaaaaaa.bbbbbbbbbbbbbbbb.cccccccccccccccccc'
    const auth = { verifyToken: async () => ({ token, clientId: 'c' }) }
    const schema = z.object({}).transform(() => {
      throw new Error(`schema saw ${token}`)
    })
    const { url, entries } = await serve(
      (server) => {
        server.tool('signature', {}, () => {
          throw new Error(`saw ${token.split('.')[2]}`)
        })
        server.prompt('schema', { argsSchema: schema as never }, () => 'x')
      },
      { auth },
    )
    const odd = rpc('tools/call', { name: 'signature' })
    await (await fetch(post(url, odd, token))).text()
    await (await fetch(post(url, rpc('prompts/get', { name: 'schema', arguments: {} }), token))).text()
    await (await fetch(post(url, { ...odd, headers: { ...odd.headers, 'mcp-method': token } }, token))).text()
    expect(entries.length).toBeGreaterThanOrEqual(3)
    for (const part of token.split('.')) expect(JSON.stringify(entries)).not.toContain(part)
  })
})
