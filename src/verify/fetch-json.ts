import { Buffer } from 'node:buffer'

/** How much is taken, and for how long. */
export interface FetchLimits {
  /** Bytes of the decoded body. */
  readonly bytes: number
  /** Milliseconds for everything, the last byte of the body included. */
  readonly milliseconds: number
}

const defaultLimits: FetchLimits = { bytes: 64 * 1024, milliseconds: 5000 }

/**
 * Fetches a JSON document of an authorization server: status 200 only, no redirect followed, no credentials sent, the
 * decoded body measured while it arrives. `Content-Type` is not enforced, some servers send `text/plain`.
 *
 * @throws Error when any of this fails; the message holds nothing of the body
 */
export async function fetchJson(
  url: URL,
  fetch: typeof globalThis.fetch,
  limits: FetchLimits = defaultLimits,
): Promise<{ readonly json: unknown; readonly headers: Headers }> {
  const signal = AbortSignal.timeout(limits.milliseconds)
  const tooLate = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () =>
      reject(new Error(`no complete answer within ${limits.milliseconds} ms`)),
    )
  })
  // The race, because a fetch that is not ours may not listen to the signal.
  return Promise.race([exchange(url, fetch, signal, limits.bytes), tooLate])
}

async function exchange(url: URL, fetch: typeof globalThis.fetch, signal: AbortSignal, maxBytes: number) {
  const response = await fetch(url.href, {
    headers: { accept: 'application/json, application/jwk-set+json' },
    // Not 'error': some runtimes know only this spelling, and any 3xx fails below.
    redirect: 'manual',
    signal,
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`the answer has status ${response.status}`)
  }
  const text = new TextDecoder().decode(await readBody(response, maxBytes))
  return { json: parse(text), headers: response.headers }
}

async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const step = await reader?.read()
    if (step?.value === undefined) break
    length += step.value.length
    if (length > maxBytes) {
      await reader?.cancel()
      throw new Error(`the answer is longer than ${maxBytes} bytes`)
    }
    chunks.push(step.value)
  }
  return Buffer.concat(chunks)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message would quote the text, and a key set may hold what it should not.
    throw new Error('the answer is not JSON')
  }
}
