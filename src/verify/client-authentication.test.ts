import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  bearerToken,
  type ClientAuthentication,
  type ClientAuthenticationRequest,
  clientSecretBasic,
  clientSecretPost,
} from './client-authentication.ts'

vi.mock('node:crypto', () => {
  throw new Error('not to be loaded')
})

/** Ids and secrets that come out wrong when a step is left out or done twice. */
const awkward = [
  ['letters and digits', 'client1', 'secret2'],
  ['a colon', 'https://mcp.example.com/mcp', 'se:cret:'],
  ['a percent sign', '100%25', '%41%zz%'],
  ['a plus sign', 'a+b', '+c++d'],
  ['blanks', 'my server', ' a  b '],
  ['what separates a form', 'a=b&c', '&d=e;f'],
  ['other alphabets', 'Zoë-サーバー', 'pässwörd-🔑'],
  ['the marks that stay, and the one that does not', "*-._'()!", '~'],
] as const

function blank(): ClientAuthenticationRequest {
  return {
    endpoint: new URL('https://idp.example.com/introspect'),
    headers: { accept: 'application/json' },
    form: new URLSearchParams({ token: 'abc' }),
    clock: () => 1_800_000_000_000,
  }
}

async function authenticated(client: ClientAuthentication): Promise<ClientAuthenticationRequest> {
  const request = blank()
  await client(request)
  return request
}

/** Sends a request to a real server, and answers with what arrived there. */
async function arrivalOf(client: ClientAuthentication) {
  const server = createServer(async (incoming: IncomingMessage, response) => {
    const body = await text(incoming)
    response.end(JSON.stringify({ authorization: incoming.headers.authorization, body }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { headers, form } = await authenticated(client)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`
  const response = await fetch(url, { method: 'POST', headers, body: form })
  return (await response.json()) as { authorization?: string; body: string }
}

/** RFC 6749 appendix B the other way round, by hand: `+` is a blank, `%xx` is a byte, then UTF-8. */
function formDecode(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll('+', ' '))
}

describe('clientSecretBasic', () => {
  it('B-90 is the example of RFC 6749 section 2.3.1', async () => {
    const { headers, form } = await authenticated(clientSecretBasic('s6BhdRkqt3', '7Fjfp0ZBr1KtDRbnfVdmIw'))
    expect(headers).toEqual({
      accept: 'application/json',
      authorization: 'Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3',
    })
    expect(form.toString()).toBe('token=abc')
  })

  it('B-90 encodes as RFC 6749 appendix B does', async () => {
    const { headers } = await authenticated(clientSecretBasic(' %&+£€', 'a:b'))
    expect(headers.authorization).toBe(
      `Basic ${Buffer.from('+%25%26%2B%C2%A3%E2%82%AC:a%3Ab').toString('base64')}`,
    )
  })

  it.each(awkward)('B-90 %s arrive as they were given', async (_name, id, secret) => {
    const { authorization = '', body } = await arrivalOf(clientSecretBasic(id, secret))
    const pair = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
      .toString('latin1')
      .split(':')
    expect(pair.map(formDecode)).toEqual([id, secret])
    expect(body).toBe('token=abc')
  })
})

describe('clientSecretPost', () => {
  it.each(awkward)('B-90 %s arrive as they were given', async (_name, id, secret) => {
    const { authorization, body } = await arrivalOf(clientSecretPost(id, secret))
    const members = body.split('&').map((pair) => pair.split('=').map(formDecode))
    expect(members).toEqual([
      ['token', 'abc'],
      ['client_id', id],
      ['client_secret', secret],
    ])
    expect(authorization).toBeUndefined()
  })
})

describe.each([
  ['clientSecretBasic', clientSecretBasic],
  ['clientSecretPost', clientSecretPost],
])('%s', (name, make) => {
  it.each<[string, unknown]>([
    ['empty', ''],
    ['undefined', undefined],
    ['null', null],
    ['the word undefined', 'undefined'],
    ['the word null', 'null'],
  ])('B-90 says what to do when id or secret is %s', (_what, value) => {
    const fault = 'is empty or not set; set the environment variable it is read from'
    expect(() => make(value as string, 'hush-hush')).toThrow(new TypeError(`${name}: clientId ${fault}`))
    expect(() => make('my-server', value as string)).toThrow(new TypeError(`${name}: clientSecret ${fault}`))
  })

  it.each<[string, unknown]>([
    ['a number', 7_777_777],
    ['an object', { secret: 'hush-hush' }],
    ['a list', ['hush-hush']],
    ['a line break at the end', 'hush-hush\n'],
    ['a zero', 'hush\0hush'],
    ['half a character', 'hush-hush\uD83D'],
  ])('B-90 refuses %s, and does not show it', (_what, value) => {
    for (const act of [() => make(value as string, 'hush-hush'), () => make('my-server', value as string)]) {
      expect(act).toThrow(TypeError)
      expect(act).toThrow(new RegExp(`^${name}: client(Id|Secret) (must be a string|holds a line break)`))
      expect(act).not.toThrow(/hush|777/)
    }
  })
})

describe('bearerToken', () => {
  it('B-90 sends the token', async () => {
    const { authorization, body } = await arrivalOf(bearerToken('23410913-abewfq.123483'))
    expect({ authorization, body }).toEqual({
      authorization: 'Bearer 23410913-abewfq.123483',
      body: 'token=abc',
    })
  })

  it('B-90 asks a function before every request', async () => {
    let count = 0
    const client = bearerToken(() => `token-${++count}`)
    expect(count).toBe(0)
    expect((await authenticated(client)).headers.authorization).toBe('Bearer token-1')
    expect((await authenticated(client)).headers.authorization).toBe('Bearer token-2')
    const later = bearerToken(async () => 'from-a-vault')
    expect((await authenticated(later)).headers.authorization).toBe('Bearer from-a-vault')
  })

  const noTokens: [string, unknown][] = [
    ['empty', ''],
    ['undefined', undefined],
    ['null', null],
    ['the word undefined', 'undefined'],
    ['the word null', 'null'],
    ['a number', 7_777_777],
    ['an object', { token: 'hush' }],
    ['with its scheme', 'Bearer hush'],
    ['with a line break', 'hush\r\nx-admin: 1'],
    ['of another alphabet', 'hüsh-hush'],
    ['too long', 'hush'.repeat(2049)],
  ]

  it.each(noTokens)('B-90 refuses a token that is %s when made, and does not show it', (_what, value) => {
    const make = () => bearerToken(value as string)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(/^bearerToken: token (is|must be|holds) /)
    expect(make).not.toThrow(/hush|hüsh|777|x-admin/)
  })

  it.each(noTokens)(
    'B-90 refuses a token that is %s when used, and does not show it',
    async (_what, value) => {
      const request = blank()
      const failure: unknown = await Promise.resolve(bearerToken(async () => value as string)(request)).catch(
        (error: unknown) => error,
      )
      expect(failure).toBeInstanceOf(Error)
      expect(inspect(failure)).toContain('bearerToken: what the function gave is no bearer token')
      expect((failure as Error).message).not.toMatch(/hush|hüsh|777|x-admin/)
      expect(request.headers).not.toHaveProperty('authorization')
    },
  )

  it('B-90 lets through what the function throws', async () => {
    const vault = new Error('the vault is closed')
    await expect(
      authenticated(
        bearerToken(() => {
          throw vault
        }),
      ),
    ).rejects.toBe(vault)
  })
})

it.each<[string, ClientAuthentication]>([
  ['clientSecretBasic', clientSecretBasic('my-server', 'hush-hush')],
  ['clientSecretPost', clientSecretPost('my-server', 'hush-hush')],
  ['bearerToken', bearerToken('hush-hush')],
])('B-90 FL-71 %s shows nothing of the secret', (_name, client) => {
  const shown = [
    inspect(client, { depth: 9, showHidden: true, getters: true }),
    inspect({ client }, { depth: 9, showHidden: true }),
    JSON.stringify({ client, ...client }),
    String(client),
    JSON.stringify(Object.getOwnPropertyDescriptors(client)),
  ].join('\n')
  expect(shown).not.toMatch(/hush/)
  expect(shown).not.toContain(btoa('my-server:hush-hush'))
})

describe('where there is no node:crypto', () => {
  it('B-90 this file loads: the mock at the top is in force', async () => {
    await expect(import('node:crypto')).rejects.toThrow()
    expect((await authenticated(clientSecretBasic('a', 'b'))).headers.authorization).toBe('Basic YTpi')
  })

  it('B-90 private_key_jwt loads as well, and says what it lacks when it is used', async () => {
    const getBuiltinModule = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
    onTestFinished(() => getBuiltinModule.mockRestore())
    const { privateKeyJwt } = await import('./private-key-jwt.ts')
    expect(() => privateKeyJwt('my-server', { privateKey: {} })).toThrow(
      new TypeError('privateKeyJwt needs node:crypto, and this runtime has none'),
    )
    expect(getBuiltinModule).toHaveBeenCalledWith('node:crypto')
  })
})
