import { getEventListeners, once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fetchAny, fetchJson, fetchText, StatusError } from './fetch-json.ts'

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

  it('J07 hangs up when time is up, also on a fetch that does not listen to its signal', async () => {
    const { response, cancelled } = bodied(() => new Promise(() => {}))
    const url = new URL('https://as.example.com/')
    await expect(fetchJson(url, async () => response, soon)).rejects.toThrow(
      'no complete answer within 40 ms',
    )
    await cancelled
  })

  it('J07 hangs up on an answer that begins when time is up', async () => {
    const { response, cancelled } = bodied(() => new Promise(() => {}))
    let answer = (_response: Response) => {}
    const late = new Promise<Response>((resolve) => {
      answer = resolve
    })
    const url = new URL('https://as.example.com/')
    await expect(fetchJson(url, () => late, soon)).rejects.toThrow('no complete answer within 40 ms')
    answer(response)
    await cancelled
  })

  it('B-72 hangs up on what is too long', async () => {
    const { response, cancelled } = bodied((controller) => controller.enqueue(Buffer.alloc(600, ' ')))
    const request = { ...soon, milliseconds: 5000 }
    const url = new URL('https://as.example.com/')
    await expect(fetchJson(url, async () => response, request)).rejects.toThrow('longer than 1000')
    await cancelled
  })

  it('B-83 ends from outside, before it begins as well', async () => {
    const closing = new AbortController()
    const never = vi.fn(() => new Promise<Response>(() => {}))
    const url = new URL('https://as.example.com/')
    const running = fetchJson(url, never, { signal: closing.signal })
    closing.abort()
    await expect(running).rejects.toThrow('the verifier was closed')
    await expect(fetchJson(url, never, { signal: closing.signal })).rejects.toThrow('the verifier was closed')
    expect(never).toHaveBeenCalledTimes(1)
  })

  it('B-83 keeps no process alive, and leaves nothing behind', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const ended = vi.spyOn(globalThis, 'clearTimeout')
    onTestFinished(() => {
      vi.restoreAllMocks()
    })
    const { signal } = new AbortController()
    let isWaiting: boolean | undefined
    const answer = async () => {
      isWaiting = getEventListeners(signal, 'abort').length === 1
      return new Response('{}')
    }
    await fetchJson(new URL('https://as.example.com/'), answer, { signal })
    const timer: NodeJS.Timeout | undefined = timers.mock.results[0]?.value
    expect(timer?.hasRef()).toBe(false)
    expect(ended).toHaveBeenCalledWith(timer)
    expect([isWaiting, getEventListeners(signal, 'abort').length]).toEqual([true, 0])
  })

  it('B-72 takes UTF-8 only, cut anywhere, with or without a byte order mark', async () => {
    const bytes = Buffer.from('\uFEFF{"name":"Zoë 🔑"}')
    for (let at = 0; at <= bytes.length; at++) {
      const parts = new Response(
        new ReadableStream({
          start(controller) {
            for (const part of [bytes.subarray(0, at), bytes.subarray(at)]) controller.enqueue(part)
            controller.close()
          },
        }),
      )
      const { json } = await fetchJson(new URL('https://as.example.com/'), async () => parts)
      expect(json).toEqual({ name: 'Zoë 🔑' })
    }
    // As the same text, two names of Latin-1 would be one.
    for (const name of ['"Zo\xeb"', '"Zo\xef"', '"Zo\xc3']) {
      const answer = async () => new Response(Buffer.from(name, 'latin1'))
      await expect(fetchText(new URL('https://as.example.com/'), answer)).rejects.toEqual(
        new Error('the answer is not UTF-8'),
      )
    }
  })

  it.each([204, 301, 302, 304, 400, 401, 404, 429, 500, 503])(
    'B-71 B-72 only 200 counts: %i',
    async (status) => {
      const url = await serve((_request, response) => {
        response.writeHead(status, { location: '/', 'retry-after': '7' })
        response.end()
      })
      const get = () => fetch(url, { redirect: 'manual' })
      const error = await fetchJson(url, get).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(StatusError)
      expect(error).toMatchObject({ status, retryAfter: 7, message: `the answer has status ${status}` })
    },
  )

  it('hangs up on an answer that has another status', async () => {
    const { response, cancelled } = bodied(() => new Promise(() => {}))
    const answer = async () => new Response(response.body, { status: 500 })
    await expect(fetchJson(new URL('https://as.example.com/'), answer)).rejects.toMatchObject({ status: 500 })
    await cancelled
  })

  it('tells the status also when the rest of the answer fails', async () => {
    const body = new ReadableStream({
      cancel: () => Promise.reject(new Error('connection lost')),
    })
    const answer = async () => new Response(body, { status: 401 })
    await expect(fetchJson(new URL('https://as.example.com/'), answer)).rejects.toMatchObject({ status: 401 })
  })

  it.each([
    ['absent', undefined, 0],
    ['seconds', '120', 120],
    ['very many seconds', '123456789', 123_456_789],
    ['a date', 'Wed, 21 Oct 2065 07:28:00 GMT', 0],
    ['negative', '-1', 0],
    ['a fraction', '1.5', 0],
    ['given twice', '5, 5', 0],
    ['a number of another kind', '0x10', 0],
  ])('reads Retry-After that is %s', (_name, value, expected) => {
    const headers = new Headers(value === undefined ? {} : { 'retry-after': value })
    expect(new StatusError(503, headers).retryAfter).toBe(expected)
  })

  it('B-90 sends a form that is completed at the last moment, within the time', async () => {
    const url = await serve(async (request, response) => {
      response.end(JSON.stringify([request.method, request.headers['x-one'], await text(request)]))
    })
    const form = new URLSearchParams({ a: '&=' })
    const headers: Record<string, string> = {}
    const prepare = async () => {
      form.set('b', '1')
      headers['x-one'] = 'yes'
    }
    const { json } = await fetchJson(url, fetch, { form, headers, prepare })
    expect(json).toEqual(['POST', 'yes', 'a=%26%3D&b=1'])
    const never = vi.fn(fetch)
    const hanging = { ...soon, form, prepare: () => new Promise<void>(() => {}) }
    await expect(fetchJson(url, never, hanging)).rejects.toThrow('no complete answer within 40 ms')
    await expect(
      fetchJson(url, never, { prepare: () => Promise.reject(new Error('no key')) }),
    ).rejects.toThrow('no key')
    expect(never).not.toHaveBeenCalled()
  })
})

/** An answer whose body is made as it is read, and is told when nobody reads on. */
function bodied(pull: (controller: ReadableStreamDefaultController<Uint8Array>) => unknown) {
  let hangUp = () => {}
  const cancelled = new Promise<void>((resolve) => {
    hangUp = resolve
  })
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      await pull(controller)
    },
    cancel: () => hangUp(),
  })
  return { response: new Response(body), cancelled }
}

describe('fetchAny', () => {
  it('gives an answer of any status with its body, up to the last byte allowed', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(400, { 'x-error': 'yes' }).end('x'.repeat(998))
    })
    const { status, text, headers } = await fetchAny(url, fetch, { bytes: 998 })
    expect([status, text.length, headers.get('x-error')]).toEqual([400, 998, 'yes'])
    await expect(fetchAny(url, fetch, { bytes: 997 })).rejects.toThrow('longer than 997')
  })

  it('gives up on a body that never ends', async () => {
    const url = await serve((_request, response) => void response.writeHead(500).write('{'))
    await expect(fetchAny(url, fetch, soon)).rejects.toThrow('within 40 ms')
  })
})
