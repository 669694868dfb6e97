import { authorizedFetch, Client, SSETransport, type TokenSource } from 'mcp-bearer/client'
import { afterEach, describe, it } from 'vitest'
import { expectNoLeak, fixture, partedFixture, plainFixture } from './capture.ts'
import { echo, places, someWritings, writings } from './capture-echo.ts'
import { closeServers, failure, listen, modernFetch, serve } from './servers.ts'

afterEach(closeServers)

const secrets = {
  token: fixture('token'),
  jwt: partedFixture('jwt'),
  key: plainFixture('key'),
  session: fixture('session'),
  password: `${plainFixture('password')} "quoted" <&>`,
}
const headers = {
  'X-API-Key': secrets.key,
  Cookie: `session=${secrets.session}; theme=dark`,
  'X-Login': `Basic ${Buffer.from(`alice:${secrets.password}`).toString('base64')}`,
  'X-Password': secrets.password,
}

/** A source that gives one token after another, and says nothing of it. */
function renewed(): TokenSource {
  let token = secrets.token
  return {
    token: async () => token,
    async refused() {
      token = secrets.jwt
    },
  }
}

const post = { method: 'POST', body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' }

describe.each(places)('E-61, FL-71 a server that repeats the request in %s', (_place, place) => {
  it.each(writings)('%s', async (_writing, writing) => {
    const { url, origin } = await listen(echo(writing, place))
    const options = { headers, retry: { maxWait: 0 } }
    await expectNoLeak(secrets, async () => {
      const fetch = authorizedFetch({ url, auth: renewed(), ...options })
      const answered = await fetch(url, post).catch((error: unknown) => error)
      const shown = answered instanceof Response ? [await answered.text(), answered.statusText] : []
      await using client = new Client(url, { auth: secrets.jwt, ...options })
      await using older = new Client(new SSETransport(`${origin}/sse`, { auth: secrets.token, ...options }))
      const errors = await Promise.all([client.ping(), older.listTools()].map(failure))
      const own = answered instanceof Response ? [...answered.headers] : answered
      return [own, shown, errors, client, older, fetch]
    })
  })

  it('after a good start', async () => {
    const good = await serve(modernFetch(() => true))
    for (const [, writing] of someWritings) {
      const bad = await listen(echo(writing, place))
      let at = good.url
      // As if the server changed under the client.
      const fetch = (_url: string | URL, init?: RequestInit) => globalThis.fetch(at, init)
      await using client = new Client('http://localhost:1/mcp', { auth: renewed(), headers, fetch })
      await client.ping()
      at = bad.url
      await expectNoLeak(secrets, async () => [
        await failure(client.ping()),
        await failure(client.callTool('echo', { text: 'hello' })),
        await failure(client.readResource('note://1')),
        await failure(client.getPrompt('greet')),
        client,
      ])
    }
  })
})
