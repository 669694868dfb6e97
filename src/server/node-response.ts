import type { ServerResponse } from 'node:http'

/** Writes a web-standard response to a Node one. */
export async function sendResponse(
  response: Response,
  res: ServerResponse,
  extraHeaders: Readonly<Record<string, string>> = {},
): Promise<void> {
  res.statusCode = response.status
  response.headers.forEach((value, name) => {
    if (name !== 'set-cookie') res.setHeader(name, value)
  })
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) res.setHeader('set-cookie', cookies)
  for (const [name, value] of Object.entries(extraHeaders)) res.setHeader(name, value)
  if (response.body && res.req.method !== 'HEAD') return pump(response.body, res)
  await response.body?.cancel()
  res.end()
}

/** Passes a stream on at the speed of the reader, and stops its source when the reader leaves. */
async function pump(body: ReadableStream<Uint8Array>, res: ServerResponse): Promise<void> {
  const reader = body.getReader()
  const leave = () => void reader.cancel().catch(() => {})
  res.once('close', leave)
  res.flushHeaders()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      if (res.destroyed) return
      if (!res.write(read.value)) await drained(res)
    }
  } finally {
    res.off('close', leave)
    res.end()
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
