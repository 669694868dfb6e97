import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type ServerResponse,
} from 'node:http'
import { Readable } from 'node:stream'
import { sendRefusal } from '../../src/http/node-request.ts'
import { jsonAnswer } from '../../src/http/refusal.ts'
import type { InspectorConfig } from '../../src/server/pages/inspector-config.ts'
import { inspectorPage } from '../../src/server/pages/inspector-page.ts'
import { listening } from '../http/support.ts'
import type { Site } from './site.ts'

/** What the inspector of a test stands in front of. */
export interface InspectorSiteOptions {
  /** The server behind everything but the page: the origin of one that listens, or what answers itself. */
  readonly behind: string | RequestListener
  /** What the page is told. Default: kind `server` with the endpoint `/mcp`. */
  readonly config?: Partial<InspectorConfig>
}

/**
 * The inspector page on a port of its own, with everything else passed on as it is, so that the page can be looked at in
 * front of servers that do not serve it. Needs no key.
 */
export async function inspectorSite({ behind, config }: InspectorSiteOptions): Promise<Site> {
  const files = new Map((await inspectorPage()).map(({ path, answer }) => [path, answer]))
  const told: InspectorConfig = { kind: 'server', name: 'under test', endpoint: '/mcp', ...config }
  files.set('/inspector/config.json', jsonAnswer(200, { ...told }))
  const pass = typeof behind === 'string' ? passing(new URL(behind)) : behind
  const server = createServer((req, res) => {
    const file = files.get((req.url ?? '').replace(/\?.*$/, ''))
    if (file !== undefined && req.method === 'GET') sendRefusal(res, file)
    else pass(req, res)
  })
  const { port, close } = await listening(server)
  return { origin: `http://127.0.0.1:${port}`, close }
}

/** A server made of a web `fetch`, such as that of the official SDK's handler. */
export function listenerOf(fetch: (request: Request) => Promise<Response>): RequestListener {
  return (req, res) => {
    const gone = new AbortController()
    res.on('close', () => gone.abort())
    answered(req, fetch, gone.signal).then(
      (response) => relay(response, res),
      () => res.writableEnded || res.destroy(),
    )
  }
}

async function answered(
  req: IncomingMessage,
  fetch: (request: Request) => Promise<Response>,
  signal: AbortSignal,
): Promise<Response> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  const headers = Object.entries(req.headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as [string, string]] : [],
  )
  const method = req.method ?? 'GET'
  const body = method === 'GET' || chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }
  return fetch(new Request(`http://${req.headers.host}${req.url}`, { method, headers, signal, ...body }))
}

function relay(response: Response, res: ServerResponse): void {
  res.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) res.end()
  else {
    res.flushHeaders()
    Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
      .on('error', () => res.destroy())
      .pipe(res)
  }
}

function passing(target: URL): RequestListener {
  return (req, res) => {
    const headers = { ...req.headers, host: target.host, origin: target.origin }
    const on = request({
      host: target.hostname,
      port: target.port,
      method: req.method,
      path: req.url,
      headers,
    })
    on.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      res.flushHeaders()
      answer.pipe(res)
    })
    on.on('error', () => res.destroy())
    res.on('close', () => on.destroy())
    req.pipe(on)
  }
}
