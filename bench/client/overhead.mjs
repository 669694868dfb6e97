// What `authorizedFetch` adds to a `fetch`: CPU time of the client, on a connection that is kept, and without a network.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { authorizedFetch, clientCredentials, functionToken } from '../../dist/client/index.js'
import { difference, median, round, takeTurns } from '../measure.mjs'

export const wantedMicros = 15

const token = 'eyJhbGciOiJSUzI1NiJ9.'.padEnd(1000, 'x')
const init = {
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'echo', arguments: {} },
  }),
}
const bareInit = { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }

/** @returns one row for each variant and network */
export async function measureOverhead({ requests, rounds }) {
  const child = fork(fileURLToPath(new URL('./server.mjs', import.meta.url)))
  try {
    const port = await new Promise((resolve) => child.once('message', resolve))
    const url = `http://127.0.0.1:${port}/mcp`
    const loopback = await rowsOf('loopback', url, globalThis.fetch, { requests, rounds })
    const none = await rowsOf('none', 'https://mcp.example.com/mcp', async () => new Response('{}'), {
      requests: requests * 4,
      rounds,
    })
    return [...loopback, ...none]
  } finally {
    child.kill()
  }
}

async function rowsOf(network, url, fetch, { requests, rounds }) {
  const verify = (send, sent) => async () => {
    const response = await send(url, sent)
    await response.text()
    return response.ok
  }
  const inputs = () => Array.from({ length: requests })
  const ours = (auth) => verify(authorizedFetch({ url, auth, fetch }), init)
  const variants = [
    { name: 'fetch', inputs, verify: verify(fetch, bareInit) },
    { name: 'authorizedFetch, a token', inputs, verify: ours(token) },
    { name: 'authorizedFetch, a function', inputs, verify: ours(functionToken(async () => token)) },
    { name: 'authorizedFetch, client credentials', inputs, verify: ours(credentials()) },
  ]
  const samples = await takeTurns(`overhead, network ${network}`, variants, { rounds, warmUp: 3 })
  return variants.map(({ name }) => ({
    network,
    variant: name,
    cpuMicros: round(median(samples.get(name)), 1),
    more: round(difference(samples, name, 'fetch'), 1),
  }))
}

/** A token that was got once and is good for an hour. */
function credentials() {
  return clientCredentials(
    {
      issuer: 'https://idp.example.com',
      tokenEndpoint: 'https://idp.example.com/token',
      client: { id: 'me', secret: 'secret' },
    },
    {
      fetch: async (url) =>
        String(url).includes('/token')
          ? Response.json({ access_token: token, token_type: 'Bearer', expires_in: 3600 })
          : new Response(null, { status: 404 }),
    },
  )
}
