import type { ServerResponse } from 'node:http'

/** Tells a web-standard response, also one of a class that a framework has put in the place of the runtime's. */
export function isResponse(value: unknown): value is Response {
  if (value instanceof Response) return true
  const { headers, status } = (value ?? {}) as Partial<Response>
  return typeof status === 'number' && typeof headers?.getSetCookie === 'function'
}

/** Writes a web-standard response to a Node one. */
export async function sendResponse(
  response: Response,
  res: ServerResponse,
  extraHeaders: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { status, body } = response
  const withBody = res.req.method !== 'HEAD'
  // Before anything is written: what somebody reads already cannot be sent.
  const reader = body?.getReader()
  res.writeHead(status, headersOf(response, extraHeaders))
  if (reader && withBody) return pump(reader, res)
  res.end()
  await reader?.cancel()
}

function headersOf(
  response: Response,
  extraHeaders: Readonly<Record<string, string>>,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.fromEntries(response.headers)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) headers['set-cookie'] = cookies
  const { vary } = headers
  return { ...headers, ...extraHeaders, ...variesOn(vary, extraHeaders) }
}

/** What an answer varies on by itself, and because of what was added. */
function variesOn(own: unknown, { vary }: Readonly<Record<string, string>>): { readonly vary?: string } {
  return typeof own === 'string' && vary !== undefined ? { vary: `${own}, ${vary}` } : {}
}

/** Passes a stream on at the speed of the reader, and stops its source when the reader leaves. */
async function pump(reader: ReadableStreamDefaultReader<Uint8Array>, res: ServerResponse): Promise<void> {
  const leave = () => void reader.cancel().catch(() => {})
  res.once('close', leave)
  res.flushHeaders()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      if (res.destroyed) return
      if (!res.write(read.value)) await drained(res)
    }
    // Only here: what broke off must not look whole.
    res.end()
  } finally {
    res.off('close', leave)
  }
}

function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off('drain', done)
      res.off('close', done)
      resolve()
    }
    res.once('drain', done)
    res.once('close', done)
  })
}
