import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { listenAddress, listenOn } from '../../src/server/listen.ts'
import { openConnection } from '../http/support.ts'
import { alice, answerOf, guarded, post, revisions, rpc, textOf } from './fixtures.ts'

describe('a listener', () => {
  it('closes a connection whose head takes too long, with a 408', async () => {
    const answer = () => {}
    const listening = await listenOn(listenAddress({ port: 0 }), () => ({ answer, bodyTimeoutMs: 1 }), 10, {
      headMs: 50,
      everyMs: 10,
    })
    onTestFinished(() => listening.close())
    const connection = openConnection(listening.port)
    const told = await connection.ask('GET /health HTTP/1.1\r\nHost: loc')
    expect([told.status, told.header('connection')]).toEqual([408, ['close']])
  })

  it.each([
    [1, 60_000],
    [30_000, 60_000],
    [3_600_000, 3_610_000],
  ])('FL-23 lets a body take the %d ms it may take', async (bodyTimeoutMs, requestTimeout) => {
    let seen: unknown
    const answer = (req: { socket: object }, res: { end(): void }) => {
      seen = (req.socket as { server: { requestTimeout: number } }).server.requestTimeout
      res.end()
    }
    const listening = await listenOn(listenAddress({ port: 0 }), () => ({ answer, bodyTimeoutMs }), 10)
    onTestFinished(() => listening.close())
    await fetch(listening.url)
    expect(seen).toBe(requestTimeout)
  })

  it.each([
    [{ port: -1 }, /port/],
    [{ port: 1.5 }, /port/],
    [{ port: '0' }, /port/],
    [{ host: '' }, /host/],
    [{ path: 'mcp' }, /path/],
    [{ path: '/mcp?x' }, /path/],
    [{ path: '/a/../mcp' }, /path/],
    [{ closeOnSigterm: 'false' }, /closeOnSigterm/],
    [{ closeOnSigterm: 0 }, /closeOnSigterm/],
    [{ Port: 1 }, /unknown option "Port"/],
  ])('FL-23 refuses %j', async (options, message) => {
    await expect(guarded().server.listen(options as never)).rejects.toThrow(message)
  })

  it('says what to do when the port is in use, and nothing stays open', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    const { server } = guarded()
    onTestFinished(() => server.close())
    await expect(server.listen({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const before = process.listenerCount('SIGTERM')
    const { url } = await server.listen({ port: 0 })
    expect((await fetch(post(url, rpc('tools/call', { name: 'whoami' }), alice))).status).toBe(200)
    expect(process.listenerCount('SIGTERM')).toBe(before + 1)
    await server.close()
    expect(process.listenerCount('SIGTERM')).toBe(before)
  })
})

/** Says where it listens, and does what it is told. */
const program = `
import { MCPServer, staticVerifier } from 'mcp-bearer/server'
const options = JSON.parse(process.argv[2])
const auth = staticVerifier({ 'dev-only-token-of-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'own process', auth }, { sessions: options.sessions })
let finish = () => {}
server.tool('slow', {}, async (_args, ctx) => {
  const finished = new Promise((resolve) => { finish = resolve })
  process.send('called')
  await finished
  return ctx.signal.aborted ? 'aborted' : 'done'
})
process.on('message', (message) => message === 'finish' && finish())
if (options.ownListener) process.on('SIGTERM', () => process.send('own listener'))
if (options.second) await server.listen({ port: 0 })
const { url } = await server.listen({ port: 0, ...options.listen })
process.send(url)
`

describe('SIGTERM', () => {
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-sigterm-'))
    const root = fileURLToPath(new URL('../..', import.meta.url))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const names: Record<string, string> = {
      program: 'program',
      'mcp-bearer/server': join(root, 'src/server/index.ts'),
    }
    const bundle = await rolldown({
      input: 'program',
      platform: 'node',
      external: /^node:|^@modelcontextprotocol\//,
      plugins: [
        {
          name: 'program',
          resolveId: (id) => names[id],
          load: (id) => (id === 'program' ? program : undefined),
        },
      ],
    })
    await bundle.write({
      dir: folder,
      format: 'esm',
      entryFileNames: 'program.mjs',
      chunkFileNames: '[name].mjs',
    })
    await bundle.close()
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** A process of its own that listens; what it says, in order; how it ends. */
  async function started(options: object = {}) {
    const child = spawn(process.execPath, ['program.mjs', JSON.stringify({ sessions: false, ...options })], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const ended = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>
    const said = async (): Promise<string> => String((await once(child, 'message'))[0])
    return { child, ended, said, url: await said() }
  }

  const token = 'dev-only-token-of-alice'
  const slow = (url: string, revision: '2026-07-28' | '2025-11-25' = '2026-07-28') =>
    fetch(post(url, rpc('tools/call', { name: 'slow', arguments: {} }, revision), token))

  it.each(revisions)(
    'ends a process, as the signal does, after the call that runs is answered (%s)',
    async (revision) => {
      const { child, ended, said, url } = await started()
      const called = said()
      const answer = slow(url, revision)
      await called
      child.kill('SIGTERM')
      // From here on nobody new is let in.
      await refusing(url)
      child.send('finish')
      expect(textOf(await answerOf(await answer))).toBe('done')
      expect(await ended).toEqual([null, 'SIGTERM'])
    },
  )

  it('ends a process at once in which nothing runs, also with several listeners, connections and sessions', async () => {
    const { child, ended, url } = await started({ second: true, sessions: true })
    const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
    const opened = await fetch(post(url, rpc('initialize', hello, '2025-11-25'), token))
    expect(opened.headers.get('mcp-session-id')).toBeTruthy()
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
      'mcp-session-id': opened.headers.get('mcp-session-id')!,
    }
    const stream = await fetch(url, { headers })
    expect(stream.status).toBe(200)
    const idle = openConnection(Number(new URL(url).port))
    child.kill('SIGTERM')
    expect(await ended).toEqual([null, 'SIGTERM'])
    await stream.text()
    idle.close()
  })

  it('leaves a process to who listens for the signal as well, and closes the server', async () => {
    const { child, ended, said, url } = await started({ ownListener: true })
    const heard = said()
    child.kill('SIGTERM')
    expect(await heard).toBe('own listener')
    await refusing(url)
    expect(child.exitCode).toBeNull()
    child.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
  })

  it('FL-23 closeOnSigterm: false leaves everything to the process: it ends, and the call with it', async () => {
    const { child, ended, said, url } = await started({ listen: { closeOnSigterm: false } })
    const called = said()
    const answer = slow(url)
    await called
    child.kill('SIGTERM')
    await expect(answer).rejects.toThrow()
    expect(await ended).toEqual([null, 'SIGTERM'])
  })
})

/** Waits until nobody takes a new connection there. */
async function refusing(url: string): Promise<void> {
  for (;;) {
    const connection = openConnection(Number(new URL(url).port))
    try {
      await connection.ask(`GET /health HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: close\r\n\r\n`)
    } catch {
      return
    } finally {
      connection.close()
    }
  }
}
