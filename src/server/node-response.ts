import type { ServerResponse } from 'node:http'

/** Writes a web-standard response to a Node one: a body in one piece, an event stream as it comes. */
export async function sendResponse(
  response: Response,
  res: ServerResponse,
  extraHeaders: Readonly<Record<string, string>> = {},
): Promise<void> {
  res.statusCode = response.status
  response.headers.forEach((value, name) => {
    res.setHeader(name, value)
  })
  for (const [name, value] of Object.entries(extraHeaders)) res.setHeader(name, value)
  if (response.headers.get('content-type')?.startsWith('text/event-stream') && response.body) {
    return pump(response.body, res)
  }
  // As text: Node then writes head and body in one go. JSON is all that comes here.
  const body = await response.text()
  if (response.status !== 202) res.setHeader('content-length', Buffer.byteLength(body))
  res.end(body)
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
