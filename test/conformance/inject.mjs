import { Agent, createServer, request } from 'node:http'

/** A suite run has a few requests and streams at a time. */
const most = 64

/**
 * A reverse proxy that adds a token to every request, for the suite cannot send one. All other headers pass unchanged,
 * `Host` and `Origin` among them: so the server behind has to take the proxy's own for good.
 *
 * @param token the access token
 * @returns its `host`, with the port; `forwardTo(url)` says where requests go; `hosts` counts the requests by the `Host`
 *   they came with; `close()` ends it and all its connections
 */
export async function injectingProxy(token) {
  const agent = new Agent({ maxSockets: most })
  const hosts = new Map()
  let target
  const server = createServer((req, res) => {
    const { host } = req.headers
    hosts.set(host, (hosts.get(host) ?? 0) + 1)
    if (target === undefined) return res.writeHead(502).end()
    const headers = [...withoutAuthorization(req.rawHeaders), 'Authorization', `Bearer ${token}`]
    const up = request({
      agent,
      host: target.hostname,
      port: target.port,
      path: req.url,
      method: req.method,
      headers,
    })
    up.on('response', (answer) => {
      res.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders)
      answer.pipe(res)
    })
    up.on('error', () => res.destroy())
    res.on('close', () => up.destroy())
    req.pipe(up)
  })
  server.maxConnections = most
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    host: `127.0.0.1:${server.address().port}`,
    hosts,
    forwardTo(url) {
      target = new URL(url)
    },
    close() {
      server.close()
      server.closeAllConnections()
      agent.destroy()
    },
  }
}

/** Headers as Node gives and takes them raw: names and values by turns. */
function withoutAuthorization(raw) {
  const kept = []
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i].toLowerCase() !== 'authorization') kept.push(raw[i], raw[i + 1])
  }
  return kept
}
