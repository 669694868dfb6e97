import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { GatewayPolicy } from '../../src/gateway/policy.ts'
import { alice, bob, call, directory, fakeUpstream, type Opened, opened, request } from './front-support.ts'

/** The bytes of a call. */
function bytesOf(port: number, token: string, message: object): string {
  const body = JSON.stringify(message)
  const lines = ['POST /mcp HTTP/1.1', `Host: localhost:${port}`, `Authorization: Bearer ${token}`]
  const length = `Content-Length: ${Buffer.byteLength(body)}`
  return [...lines, 'Content-Type: application/json', length, '', body].join('\r\n')
}

/** Something that is asked, and answers when it is told to. */
function held() {
  let asked = () => {}
  let go = () => {}
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const may = new Promise<void>((resolve) => {
    go = resolve
  })
  const wait = () => {
    asked()
    return may
  }
  return { isAsked, wait, go: () => go() }
}

/** Asks for something, and leaves as soon as somebody is asked about it; then that one answers. */
async function leaving(
  { port, written }: Opened,
  bytes: (port: number) => string,
  { isAsked, go }: ReturnType<typeof held>,
): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes(port))
  await isAsked
  socket.destroy()
  expect(await written(1)).toMatchObject([{ outcome: 'left', status: 0 }])
  // Whatever comes of it has come before a whole other request is done.
  go()
}

const stream = (port: number) =>
  `GET /mcp HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${alice}\r\n\r\n`

describe('a caller who has left has nothing done any more', () => {
  it('while the verifier was asked', async () => {
    const gone = held()
    const auth = directory()
    const verify = auth.verifyToken.bind(auth)
    let isFirst = true
    auth.verifyToken = async (token, context) => {
      if (isFirst) {
        isFirst = false
        await gone.wait()
      }
      return verify(token, context)
    }
    const open = await opened({ auth })
    await leaving(open, stream, gone)
    await open.post(bob, call('other'))
    expect(open.upstream.passages.map(({ caller }) => caller.subject)).toEqual(['bob'])
  })

  it('while the policy was asked, or looked a tool up', async () => {
    const gone = held()
    const policy: GatewayPolicy = {
      async judge(message, _caller, toolNamed) {
        if (message.params?.name === 'echo') await toolNamed('echo')
        return { kind: 'pass' }
      },
      review: () => undefined,
    }
    const upstream = fakeUpstream()
    upstream.ask = async () => {
      await gone.wait()
      return { tools: [] }
    }
    const open = await opened({ upstream, policy })
    await leaving(open, (port) => bytesOf(port, alice, call('echo')), gone)
    await open.post(bob, call('other'))
    expect(upstream.passages.map(({ caller }) => caller.subject)).toEqual(['bob'])
  })
})

describe('one caller', () => {
  it('has a thousand requests under way and not more, however few its connections are', async () => {
    const upstream = fakeUpstream()
    const held: (() => void)[] = []
    const { answer } = upstream
    upstream.reply = ({ message }) =>
      new Promise((resolve) => {
        held.push(() => resolve({ status: 200, headers: {}, body: JSON.stringify(message) }))
      })
    upstream.answer = function (passage) {
      return passage.caller.subject === 'alice'
        ? answer.call(this, passage)
        : { status: 202, headers: {}, body: '' }
    }
    const { port, post, written } = await opened({ upstream })
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(bytesOf(port, alice, call('slow')).repeat(1100))
    while (held.length < 1000) await new Promise((resolve) => setImmediate(resolve))
    const refused = await post(alice, call('slow'))
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    expect(held).toHaveLength(1000)
    // Nobody else notices.
    expect((await post(bob, call('slow'))).status).toBe(202)
    for (const end of held) end()
    await written(1002)
    upstream.reply = () => ({ status: 200, headers: {}, body: '' })
    expect((await post(alice, call('slow'))).status).toBe(200)
    socket.destroy()
  })

  it('writes no token into the log as the name of a method', async () => {
    const { post, written } = await opened()
    await post(alice, request(`x/${alice}`))
    const [entry] = await written(1)
    expect(entry).toMatchObject({ method: 'x/[redacted]' })
  })
})
