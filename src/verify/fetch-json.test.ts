import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fetchJson } from './fetch-json.ts'

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

const soon = { bytes: 1000, milliseconds: 40 }

describe('fetchJson', () => {
  it('B-72 reads JSON whatever its content type, up to the last byte allowed', async () => {
    const body = JSON.stringify('x'.repeat(998))
    const url = await serve((_request, response) => {
      response.setHeader('content-type', 'text/plain')
      response.end(body)
    })
    const { json } = await fetchJson(url, fetch, { ...soon, milliseconds: 5000 })
    expect(json).toHaveLength(998)
    await expect(fetchJson(url, fetch, { bytes: 999, milliseconds: 5000 })).rejects.toThrow('longer than 999')
  })

  it('J07 gives up on an answer that never begins', async () => {
    const url = await serve(() => {})
    await expect(fetchJson(url, fetch, soon)).rejects.toThrow()
  })

  it('J07 gives up on a body that comes byte by byte and never ends', async () => {
    const url = await serve((_request, response) => {
      response.write('{')
      const drip = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(drip))
    })
    await expect(fetchJson(url, fetch, soon)).rejects.toThrow()
  })

  it('J07 gives up on a fetch that does not listen to its signal', async () => {
    const deaf = () => new Promise<Response>(() => {})
    await expect(fetchJson(new URL('https://as.example.com/'), deaf, soon)).rejects.toThrow(
      'no complete answer within 40 ms',
    )
  })

  it('repeats nothing of an answer that is not JSON', async () => {
    const url = await serve((_request, response) => response.end('{"d":"private-part'))
    const error = await fetchJson(url, fetch, { ...soon, milliseconds: 5000 }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toEqual(new Error('the answer is not JSON'))
  })
})
