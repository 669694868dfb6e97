// What it costs that the key comes from a key set behind a URL, once it was fetched.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { difference, median, round, takeTurns } from '../measure.mjs'
import { mcpBearer } from './libraries.mjs'
import { copyOf, makeKey, makeTokenOfUsualSize } from './tokens.mjs'

/** @returns one row for cold and one for warm tokens */
export async function measureJwks({ tokens: amount, rounds }) {
  const [key, ...others] = [makeKey('RS256'), makeKey('RS256'), makeKey('ES256')]
  const keys = [key, ...others].map(({ jwk }, n) => (n === 0 ? jwk : { ...jwk, kid: `another-key-${n}` }))
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const jwksUri = `http://127.0.0.1:${server.address().port}/jwks`
    const tokens = Array.from({ length: amount }, () => makeTokenOfUsualSize(key))
    const rows = []
    for (const state of ['cold', 'warm']) rows.push(await compare(state, { key, jwksUri, tokens, rounds }))
    return rows
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

async function compare(state, { key, jwksUri, tokens, rounds }) {
  const inputs = () => tokens.map(copyOf)
  const remember = state === 'cold' ? 0 : tokens.length
  const variants = [
    { name: 'publicKey', verify: mcpBearer(key, remember), inputs },
    { name: 'jwksUri', verify: mcpBearer(key, remember, { jwksUri }), inputs },
  ]
  const samples = await takeTurns(`key set, ${state}`, variants, { rounds, warmUp: 3 })
  return {
    state,
    publicKeyMicros: round(median(samples.get('publicKey'))),
    jwksUriMicros: round(median(samples.get('jwksUri'))),
    overheadMicros: round(difference(samples, 'jwksUri', 'publicKey')),
  }
}
