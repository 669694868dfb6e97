import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OAuthClientProvider, StoredOAuthTokens } from '@modelcontextprotocol/client'
import {
  authorizedFetch,
  authProvider,
  BearerAuth,
  Client,
  clientCredentials,
  commandToken,
  dpopKey,
  envToken,
  fileToken,
  fileTokenStore,
  functionToken,
  MCPClient,
  type MCPClientConfig,
  memoryTokenStore,
  oauth,
  refreshToken,
  SSETransport,
  StreamableHttpTransport,
  type TokenSource,
  tokenExchange,
  workloadIdentity,
} from 'mcp-bearer/client'
import { tokenSourceContract } from 'mcp-bearer/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { expectNoLeak, fixture, partedFixture, plainFixture } from './capture.ts'
import { answer, closeServers, failure, listen } from './servers.ts'

const secrets = {
  token: fixture('token'),
  jwt: partedFixture('jwt'),
  key: plainFixture('key'),
  password: `${plainFixture('password')} "quoted" <&>`,
}
const { token, jwt, key, password } = secrets
const url = 'http://localhost:1/mcp'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-capture-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
  await closeServers()
})

/** What a function does or throws, to be looked at either way. */
const outcome = async (work: () => unknown): Promise<unknown> => {
  try {
    return await work()
  } catch (error) {
    return error
  }
}

describe('E-61, FL-73 a wrong value is not shown', () => {
  const tokens: readonly unknown[] = [
    `${token} ${jwt}`,
    `${token}\r\nX: ${key}`,
    `${token}\0`,
    `\${${token}`,
    `<${token}>`,
    `{{${token}}}`,
    `${token}é`,
    'x'.repeat(9000) + key,
    { token },
    [token],
    Object.assign(() => token, { key }),
    Symbol(token),
  ]
  it.each(tokens.map((value, index) => [index, value]))('as a token: %i', async (_index, value) => {
    const auth = value as string
    await expectNoLeak(secrets, async () =>
      [
        await outcome(() => new BearerAuth(auth)),
        await outcome(() => new Client(url, { auth })),
        await outcome(() => new StreamableHttpTransport(url, { auth })),
        await outcome(() => new SSETransport(url, { auth })),
        await outcome(() => authorizedFetch({ url, auth })),
        await outcome(() => authProvider(auth, { url })),
        await outcome(() => envToken(auth)),
        await outcome(() => clientCredentials({ issuer: auth, client: { id: 'a', secret: auth } })),
        await outcome(() =>
          refreshToken({ issuer: url, client: { id: 'a' }, refreshToken: `${auth}\n${key}` }),
        ),
        await outcome(() => new MCPClient({ mcpServers: { a: { url, auth } } })),
        await failure(new Client(url, { auth: { token: async () => auth } }).ping()),
        await failure(new Client(url, { auth: functionToken(() => auth) }).ping()),
      ].map((shown) => (shown instanceof Error ? shown : undefined)),
    )
  })

  const options: readonly unknown[] = [
    { headers: { 'X-API-Key': `${key}\n${token}` } },
    { headers: { 'X-API-Key': `${key}\0` } },
    { headers: { 'X-API-Key': [key] } },
    { headers: { 'X-API-Key': `\${${key}` } },
    { headers: { [`Bearer ${token}`]: 'x' } },
    { headers: { Authorization: `Bearer ${token} ${jwt}` } },
    { headers: `Authorization: Bearer ${token}` },
    { headers: [['Authorization', token]] },
    { headers: new Map([['Authorization', token]]) },
    { auth: token, headers: { Authorization: jwt } },
    { auth: token, fetch: token },
    { auth: token, serverName: { token } },
    { auth: token, allowInsecure: jwt },
    { auth: token, retry: { maxWait: jwt } },
    { auth: token, timeout: jwt },
    { auth: token, handlers: { elicit: jwt } },
  ]
  it.each(options.map((value, index) => [index, value]))('as an option: %i', async (_index, value) => {
    const given = value as { auth: string }
    await expectNoLeak(secrets, async () => [
      await outcome(() => new Client(url, given)),
      await outcome(() => new StreamableHttpTransport(url, given)),
      await outcome(() => authorizedFetch({ url, ...given })),
      await outcome(() => new MCPClient({ mcpServers: { a: { url, ...given } } } as MCPClientConfig)),
    ])
  })

  it.each([
    `http://mcp.example.com/mcp?key=${key}`,
    `https://user:${key}@mcp.example.com/mcp`,
    `mcp.example.com/mcp?key=${key}`,
    `https://mcp.example.com/mcp#${key}`,
    `file:///${key}`,
    `https://[${key}]/`,
  ])('in a URL: %#', async (place) => {
    await expectNoLeak(secrets, async () => [
      await outcome(() => new Client(place, { auth: token })),
      await outcome(() => new MCPClient({ mcpServers: { a: { url: place, auth: token } } })),
      await outcome(() => clientCredentials({ issuer: place, client: { id: 'a', secret: token } })),
      await outcome(() => authProvider(token, { url: place })),
      await outcome(() => authorizedFetch({ url, auth: token })(place)),
    ])
  })

  it('in the headers or the URL of one request', async () => {
    const server = await listen(answer(401))
    const fetch = authorizedFetch({ url: server.url, auth: token })
    await expectNoLeak(secrets, async () => [
      await failure(fetch(server.url, { headers: { 'X-API-Key': `${key}\n` } })),
      await failure(fetch(server.url, { headers: { [`${key} `]: 'x' } })),
      await failure(fetch(`/mcp?key=${key}`)),
      await failure(fetch(`https://elsewhere.example/?key=${key}`)),
    ])
  })

  it('as a secret or a key of a client', async () => {
    const issuer = 'https://idp.example.com'
    await expectNoLeak(secrets, async () => [
      await outcome(() => clientCredentials({ issuer, client: { id: 'a', secret: `${token}\n` } })),
      await outcome(() => clientCredentials({ issuer, client: { id: 'a', privateKey: token } })),
      await outcome(() => clientCredentials({ issuer, client: { id: 'a', privateKey: `{"d":"${key}` } })),
      await outcome(() =>
        clientCredentials({ issuer, client: { id: 'a', privateKey: { kty: 'EC', crv: 'P-256', d: key } } }),
      ),
      await outcome(() =>
        clientCredentials({
          issuer,
          client: { id: 'a', privateKey: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----` },
        }),
      ),
      await outcome(() => clientCredentials({ issuer, client: { id: 'a', secret: token, privateKey: key } })),
      await outcome(() => clientCredentials({ issuer, client: token as unknown as { id: string } })),
      await outcome(() => tokenExchange({ issuer, subjectToken: jwt as unknown as () => string })),
      await outcome(() => workloadIdentity({ issuer, assertion: jwt as unknown as () => string })),
      await outcome(() => dpopKey(token as unknown as object)),
      await outcome(() => oauth(token as unknown as OAuthClientProvider)),
      await outcome(() => fileTokenStore(folder, { wait: token as unknown as number })),
    ])
  })
})

/** Errors as clients of vaults and identity providers throw them. */
const thrown = (): unknown[] => [
  new Error(`vault: ${token} is not allowed`),
  new Error('no', { cause: new Error(`request with ${jwt}`) }),
  Object.assign(new Error('no'), { config: { headers: { authorization: `Bearer ${token}` } } }),
  Object.assign(new Error('no'), { response: { data: jwt } }),
  outcomeOf(() => JSON.parse(`${token}`)),
  new AggregateError([new Error(key)], 'all failed'),
  token,
  { token },
]

function outcomeOf(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe('E-61 a function that throws what it should not', () => {
  it.each(thrown().map((error, index) => [index, error]))('as a source: %i', async (_index, error) => {
    const fail = async (): Promise<never> => Promise.reject(error)
    const server = await listen(answer(401))
    const issuer = server.origin
    const tokenEndpoint = `${issuer}/token`
    const environment = { logger: () => {} }
    const sources: TokenSource[] = [
      { token: fail },
      { token: async () => token, refused: fail },
      { token: async () => token, dpop: { proof: fail, observe: () => false } },
      functionToken(fail),
      tokenExchange({ issuer, tokenEndpoint, subjectToken: fail }, environment),
      workloadIdentity({ issuer, tokenEndpoint, assertion: fail }, environment),
      refreshToken({ issuer, tokenEndpoint, client: { id: 'a' }, refreshToken: fail }, environment),
      oauth({ ...provider, tokens: fail }),
      oauth({ ...provider, redirectToAuthorization: fail }),
      clientCredentials(
        { issuer, tokenEndpoint, client: { id: 'a', secret: password } },
        { ...environment, store: { ...memoryTokenStore(), load: fail } },
      ),
      clientCredentials(
        { issuer, tokenEndpoint, client: { id: 'a', secret: password } },
        { ...environment, store: { ...memoryTokenStore(), exclusive: fail } },
      ),
    ]
    for (const auth of sources) {
      await expectNoLeak(secrets, async () => {
        await using client = new Client(server.url, { auth })
        return [await failure(client.ping()), client]
      })
    }
  })

  const provider: OAuthClientProvider = {
    redirectUrl: 'http://localhost/callback',
    clientMetadata: { redirect_uris: ['http://localhost/callback'] },
    clientInformation: () => ({ client_id: 'a', client_secret: password }),
    tokens: (): StoredOAuthTokens => ({ access_token: token, token_type: 'Bearer', refresh_token: jwt }),
    saveTokens: () => {},
    redirectToAuthorization: () => {},
    saveCodeVerifier: () => {},
    codeVerifier: () => key,
  }

  it('as a store that does not save', async () => {
    const as = await listen(answer(200, {}, { access_token: token, token_type: 'Bearer' }))
    const mcp = await listen(answer(404))
    await expectNoLeak(secrets, async () => {
      const save = async (_key: string, tokens: unknown) => Promise.reject(new Error(JSON.stringify(tokens)))
      const source = clientCredentials(
        { issuer: as.origin, tokenEndpoint: `${as.origin}/token`, client: { id: 'a', secret: password } },
        { store: { ...memoryTokenStore(), save } },
      )
      await source.token({ url: mcp.url })
      return source
    })
  })
})

describe('E-61 a place that holds something else is named, and what it holds is not', () => {
  it('a file', async () => {
    const path = join(folder, 'token')
    for (const text of [
      `${token} ${key}`,
      `${token}\n${key}`,
      `{"token":"${token}"}`,
      'x'.repeat(70_000) + key,
    ]) {
      await writeFile(path, text, { mode: 0o644 })
      await expectNoLeak(secrets, async () => {
        const source = fileToken(path)
        const error = await failure(new Client(url, { auth: source }).ping())
        expect((error as Error).message).toContain(path)
        return [error, source]
      })
    }
  })

  it('a command: its arguments, its output, its errors, its environment', async () => {
    const scripts = [
      `console.log('${token} ${key}')`,
      `console.error('${token}'); process.exit(3)`,
      `console.log('${token}'); process.exit(1)`,
      `throw new Error('${token}')`,
      `process.stdout.write('${key}'.repeat(9000))`,
      `process.stdout.write('${token}\\0')`,
      `process.kill(process.pid, 'SIGKILL')`,
    ]
    for (const script of scripts) {
      await expectNoLeak(secrets, async () => {
        const source = commandToken(process.execPath, ['-e', script, token], { env: { KEY: key } })
        return [await failure(new Client(url, { auth: source }).ping()), source]
      })
    }
    await expectNoLeak(secrets, async () => [
      await failure(commandToken('no-such-program-here', [token]).token({ url })),
      await outcome(() => commandToken(`curl -H 'Authorization: Bearer ${token}'`)),
      await outcome(() => commandToken('curl', [token, `${key}\0`])),
      await outcome(() => commandToken('curl', [], { env: { KEY: `${key}\0` } })),
    ])
  })

  it('a variable', async () => {
    vi.stubEnv('CAPTURE_TOKEN', `${token} ${key}`)
    await expectNoLeak(secrets, async () => [
      await outcome(() => envToken('CAPTURE_TOKEN')),
      await outcome(() => new MCPClient({ mcpServers: { a: { url, auth: '${CAPTURE_TOKEN}' } } })),
      await outcome(() => new MCPClient({ mcpServers: { a: { url, auth: { env: token } } } })),
      await outcome(() => new MCPClient({ mcpServers: { a: { url, auth: `\${X:-${token}` } } })),
    ])
    vi.stubEnv('CAPTURE_TOKEN', token)
    const source = envToken('CAPTURE_TOKEN')
    vi.stubEnv('CAPTURE_TOKEN', `${jwt}\n${key}`)
    await expectNoLeak(secrets, async () => [await failure(source.token({ url })), source])
  })

  it('a token store', async () => {
    const path = join(folder, 'tokens.json')
    await expectNoLeak(secrets, async () => {
      const store = fileTokenStore(path)
      for (const text of [`{"version":1,"entries":{"a":"${token}"`, `"${token}"`, token.repeat(30_000)]) {
        await writeFile(path, text, { mode: 0o666 })
        expect(await store.load('a')).toBeUndefined()
      }
      await rm(path)
      await store.save('a', { accessToken: token, refreshToken: jwt })
      const nowhere = fileTokenStore(join(path, 'below', 'tokens.json'))
      return [store, memoryTokenStore(), await failure(nowhere.save('a', { accessToken: token }))]
    })
  })

  it('a configuration', async () => {
    const path = join(folder, 'mcp.json')
    const texts = [
      `{"mcpServers":{"a":{"url":"${url}","auth":"${token}"`,
      `"${token}"`,
      `{"mcpServers":"${token}"}`,
      `{"mcpServers":{"a":"${token}"}}`,
      `{"mcpServers":{},"auth":"${token}"}`,
      `{"mcpServers":{"a":{"url":"${url}","token":"${token}","auth":["${token}"]}}}`,
      `{"mcpServers":{"a":{"url":"${url}","type":"${token}"}}}`,
      `{"mcpServers":{"a":{"command":"x","auth":"${token}"}}}`,
      `{"mcpServers":{"a":{"command":"x","env":{"A":{"file":"${token}"}}}}}`,
    ]
    for (const text of texts) {
      await writeFile(path, text)
      await expectNoLeak(secrets, async () => failure(MCPClient.fromFile(path)))
    }
  })

  it('a child process', async () => {
    const entries = {
      missing: { command: 'no-such-command-here', args: [token], env: { KEY: key } },
      argument: { command: process.execPath, args: [`${token}\0`] },
      variable: { command: process.execPath, env: { KEY: `${key}\0` } },
      folder: { command: process.execPath, cwd: `/${key}\0` },
      ended: { command: process.execPath, args: ['-e', 'process.exit(1)', token], env: { KEY: key } },
      speechless: { command: process.execPath, args: ['-e', `console.log('${token}')`] },
    }
    await expectNoLeak(secrets, async () => {
      await using client = new MCPClient({ mcpServers: entries }, { timeout: 5_000 })
      const reports = await client.connectAll()
      expect(reports.filter(({ connected }) => connected)).toEqual([])
      return [reports, await client.catalogue(), client]
    })
  })
})

it('E-61 a contract that fails does not show the tokens of the source', async () => {
  let count = 0
  const made = { source: { token: async () => `${token.slice(0, -3)}${count++}==` }, secrets: [] }
  for (const { run } of tokenSourceContract(async () => made)) {
    await expectNoLeak(secrets, () => outcome(run))
  }
})

it('E-61 what holds a token does not show it', async () => {
  vi.stubEnv('CAPTURE_TOKEN', token)
  const headers = { 'X-API-Key': key, Cookie: password.replaceAll('"', '') }
  const transport = new StreamableHttpTransport(url, { auth: token, headers })
  const older = new SSETransport(url, { auth: jwt, headers })
  const config = {
    mcpServers: { a: { url, auth: '${CAPTURE_TOKEN}' }, b: { command: 'x', env: { KEY: key } } },
  }
  await expectNoLeak(secrets, async () => [
    new BearerAuth(token),
    transport,
    await transport.open(),
    older,
    await older.open(),
    new Client(transport),
    new Client(url, { auth: jwt, headers }),
    new MCPClient(config),
    authorizedFetch({ url, auth: token, headers }),
    authProvider(token, { url }),
    envToken('CAPTURE_TOKEN'),
    commandToken('x', [token], { env: { KEY: key } }),
    refreshToken({ issuer: url, client: { id: 'a', secret: password }, refreshToken: jwt }),
    clientCredentials({ issuer: url, client: { id: 'a', secret: password } }),
  ])
})
