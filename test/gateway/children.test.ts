import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { AccessToken, type LogEntry } from '../../src/core/index.ts'
import type { Child, ChildExit } from '../../src/gateway/command/child.ts'
import { type ChildrenOptions, children } from '../../src/gateway/command/children.ts'
import type { RpcMessage } from '../../src/gateway/message.ts'
import { UpstreamError } from '../../src/gateway/upstream.ts'
import { fakeClock } from '../../src/testing/fake-clock.ts'
import { isAlive, node, program } from './child-support.ts'

const token = 'sk-abcdef0123456789'
const alice = new AccessToken({
  token,
  clientId: 'app',
  subject: 'alice',
  issuer: 'https://id.example',
  scopes: ['a'],
})
const bob = new AccessToken({ token: 'sk-other0123456789', clientId: 'tool' })

function all(deed: string, args: readonly string[] = [], options: Partial<ChildrenOptions> = {}) {
  const log: LogEntry[] = []
  const made = children({
    command: node,
    args: [program, deed, ...args],
    env: {},
    graceMs: 300,
    logger: (entry) => log.push(entry),
    ...options,
  })
  onTestFinished(() => made.close())
  return { made, log }
}

const exitOf = (child: Child) =>
  new Promise<ChildExit>((resolve) => {
    child.onExit = resolve
  })
const firstMessage = (child: Child) =>
  new Promise<RpcMessage>((resolve) => {
    child.onMessage = resolve
  })
function refusalOf(start: () => Child): UpstreamError {
  try {
    start()
  } catch (error) {
    expect(error).toBeInstanceOf(UpstreamError)
    return error as UpstreamError
  }
  return expect.unreachable('was started')
}

describe('limits', () => {
  it('hold for each principal and for all, until processes are gone', async () => {
    const { made } = all('deaf', [], { max: 3, maxPerPrincipal: 2 })
    const first = made.start('a', alice)
    made.start('a', alice)
    expect(made.size).toBe(2)
    expect(refusalOf(() => made.start('a', alice))).toMatchObject({ problem: 'busy', retryAfter: 5 })
    made.start('b', bob)
    expect(refusalOf(() => made.start('c', bob))).toMatchObject({ problem: 'busy', retryAfter: 5 })
    const stopped = first.stop()
    // It is told to go, and still there.
    expect(refusalOf(() => made.start('c', bob))).toMatchObject({ problem: 'busy' })
    await stopped
    expect(made.size).toBe(2)
    made.start('a', alice)
    expect(made.size).toBe(3)
  })

  it('count what cannot be started for as long as that is not known', async () => {
    const { made } = all('echo', [], { command: 'no-such-program', maxPerPrincipal: 1 })
    const exit = exitOf(made.start('a', alice))
    expect(refusalOf(() => made.start('a', alice))).toMatchObject({ problem: 'busy' })
    expect(await exit).toMatchObject({ problem: 'spawn' })
    expect(made.size).toBe(0)
  })
})

describe('a crash', () => {
  it('makes its principal wait longer each time, and nobody else', async () => {
    const clock = fakeClock()
    const { made, log } = all('exit', ['3'], { clock })
    await exitOf(made.start('a', alice))
    await exitOf(made.start('a', alice))
    const refusal = refusalOf(() => made.start('a', alice))
    expect(refusal).toMatchObject({ problem: 'busy', retryAfter: 1 })
    expect(refusal.message).toMatch(
      /^the server process is not started again yet, it ended too often: the server process ended with exit code 3;/,
    )
    await exitOf(made.start('b', bob))
    clock.advance(1000)
    await exitOf(made.start('a', alice))
    expect(refusalOf(() => made.start('a', alice))).toMatchObject({ retryAfter: 2 })
    // One line a minute, however often.
    expect(log).toEqual([
      expect.objectContaining({
        level: 'warn',
        event: 'child_ended',
        details: { pid: expect.any(Number), code: 3 },
      }),
    ])
  })

  it('is not the end of a process that was stopped', async () => {
    const { made, log } = all('echo')
    for (let n = 0; n < 3; n++) await made.start('a', alice).stop()
    expect(made.start('a', alice).isRunning).toBe(true)
    expect(log).toEqual([])
  })
})

describe('processes of two principals', () => {
  it('have nothing of each other, and know whose they are', async () => {
    const { made } = all('inventory', [], {
      identity: true,
      env: { A: '1', MCP_BEARER_SUBJECT: 'root', MCP_BEARER_ISSUER: 'x', MCP_BEARER_CLIENT_ID: 'x' },
    })
    const [one, other] = [made.start('a', alice), made.start('b', bob)]
    const [mine, theirs] = await Promise.all([firstMessage(one), firstMessage(other)])
    expect(mine.params!.env).toEqual({
      A: '1',
      MCP_BEARER_SUBJECT: 'alice',
      MCP_BEARER_CLIENT_ID: 'app',
      MCP_BEARER_ISSUER: 'https://id.example',
    })
    expect(theirs.params!.env).toEqual({ A: '1', MCP_BEARER_CLIENT_ID: 'tool' })
    expect(JSON.stringify([mine, theirs])).not.toContain('sk-')
    expect(mine.params!.descriptors).toEqual(theirs.params!.descriptors)
    const heard: RpcMessage[] = []
    other.onMessage = (message) => heard.push(message)
    const answer = firstMessage(one)
    one.send({ jsonrpc: '2.0', id: 1, method: 'x', params: { of: 'alice' } })
    expect(await answer).toMatchObject({ id: 1, result: { of: 'alice' } })
    other.send({ jsonrpc: '2.0', id: 1, method: 'x', params: { of: 'bob' } })
    await vi.waitFor(() => expect(heard).toHaveLength(1))
    expect(heard).toMatchObject([{ result: { of: 'bob' } }])
  })

  it('are told nothing of who calls unless that is wanted', async () => {
    const { made } = all('inventory')
    expect((await firstMessage(made.start('a', alice))).params!.env).toEqual({})
  })

  it('are none for a caller that no environment can name', () => {
    const { made } = all('echo', [], { identity: true })
    const forger = new AccessToken({ token, clientId: 'app', subject: 'root\0alice' })
    expect(refusalOf(() => made.start('a', forger))).toMatchObject({ problem: 'unreachable' })
    expect(made.size).toBe(0)
  })

  it('go on when one of them floods, crashes or hangs', async () => {
    const flooding = all('flood', ['50']).made
    const { made } = all('echo')
    flooding.start('a', alice)
    const child = made.start('b', bob)
    const took: number[] = []
    for (let n = 0; n < 200; n++) {
      const at = performance.now()
      const answer = firstMessage(child)
      child.send({ jsonrpc: '2.0', id: n, method: 'x' })
      expect((await answer).id).toBe(n)
      took.push(performance.now() - at)
    }
    took.sort((a, b) => a - b)
    console.log(`beside a flood: median ${took[100]} ms, slowest ${took[199]} ms`)
    expect(took[100]).toBeLessThan(250)
  })
})

describe('close', () => {
  it('ends all of them, and starts none any more', async () => {
    const { made } = all('stubborn')
    const some = [made.start('a', alice), made.start('b', bob)]
    await Promise.all(some.map(firstMessage))
    await made.close()
    expect(made.size).toBe(0)
    for (const { pid } of some) expect(isAlive(pid!)).toBe(false)
    expect(refusalOf(() => made.start('a', alice))).toMatchObject({ problem: 'unreachable' })
    await made.close()
  })
})

describe('the log', () => {
  it('has standard error with the process it is of, and what is no message', async () => {
    const { made, log } = all('complain', ['one\n', `Bearer ${token}\n`])
    const child = made.start('a', alice)
    await vi.waitFor(() => expect(log).toHaveLength(2))
    expect(log).toEqual([
      { level: 'info', event: 'child_stderr', message: 'one', details: { pid: child.pid } },
      { level: 'info', event: 'child_stderr', message: 'Bearer [redacted]', details: { pid: child.pid } },
    ])
  })

  it('may fail', async () => {
    const { made } = all('raw', ['garbage\n'], {
      logger() {
        throw new Error('disk full')
      },
    })
    const child = made.start('a', alice)
    const answer = firstMessage(child)
    child.send({ jsonrpc: '2.0', id: 1, method: 'x' })
    expect(await answer).toMatchObject({ id: 1 })
  })
})

it.each([
  ['max', { max: 0 }],
  ['maxPerPrincipal', { maxPerPrincipal: 1e9 }],
  ['identity', { identity: 'yes' }],
  ['command', { command: '' }],
  ['env', { env: undefined }],
  ['logger', { logger: 1 }],
  ['scopes', { scopes: [] }],
])('options that are wrong are named: %s', (name, wrong) => {
  const make = () => children({ command: node, env: {}, ...wrong } as never)
  expect(make).toThrow(TypeError)
  expect(make).toThrow(name)
})
