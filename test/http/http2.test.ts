import { connect, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { bearerAuth, getAccessToken } from 'mcp-bearer/node'
import { expect, it } from 'vitest'
import { knowing } from './support.ts'

it('the Node adapter works for node:http2, too', async () => {
  const verifier = knowing({ good: { token: 'good', clientId: 'alice' } })
  const listener = bearerAuth({ verifier }, (_req, res) => {
    res.end(`hi ${getAccessToken()?.clientId}`)
  })
  const server = createServer(listener as never)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const ask = (headers: Record<string, string>) =>
    new Promise<[number, string]>((resolve, reject) => {
      const stream = session.request({ ':method': 'GET', ':path': '/mcp', ...headers })
      let [status, body] = [0, '']
      stream.setEncoding('utf8')
      stream.on('response', (answer) => {
        status = Number(answer[':status'])
      })
      stream.on('data', (text: string) => {
        body += text
      })
      stream.on('end', () => resolve([status, body]))
      stream.on('error', reject)
      stream.end()
    })
  try {
    expect((await ask({}))[0]).toBe(401)
    expect(await ask({ authorization: 'Bearer good' })).toEqual([200, 'hi alice'])
  } finally {
    session.close()
    await new Promise((resolve) => server.close(resolve))
  }
})
