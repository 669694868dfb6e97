import { describe, expect, it } from 'vitest'
import type { TokenSource } from '../client/token-source.ts'
import { AuthError } from '../core/index.ts'
import { type SourceUnderTest, tokenSourceContract } from './token-source-contract.ts'

const password = 'password-of-the-vault-0123456789'

/** A source as it should be, whose parts can be replaced by worse ones. */
function sourceUnderTest(worse: (parts: Parts) => Partial<TokenSource> = () => ({})): SourceUnderTest {
  const parts: Parts = { kept: undefined, version: 1, acquired: 0, isDown: false, pending: undefined }
  const acquire = async () => {
    parts.acquired += 1
    await Promise.resolve()
    if (parts.isDown) throw new AuthError('token_unavailable', 'No token: the vault is sealed.')
    parts.kept = `sk-contract-0123456789-${parts.version}`
    return parts.kept
  }
  const source: TokenSource = {
    async token() {
      if (parts.kept !== undefined) return parts.kept
      parts.pending ??= acquire().finally(() => {
        parts.pending = undefined
      })
      return parts.pending
    },
    async refused(token) {
      if (token === parts.kept) parts.kept = undefined
    },
  }
  return {
    // Not spread: a property that is hidden stays one, and a getter too.
    source: Object.defineProperties(source, Object.getOwnPropertyDescriptors(worse(parts))),
    secrets: [password],
    rotate: () => {
      parts.version += 1
    },
    fail: () => {
      parts.isDown = true
    },
    repair: () => {
      parts.isDown = false
    },
    acquisitions: () => parts.acquired,
  }
}

interface Parts {
  kept: string | undefined
  version: number
  acquired: number
  isDown: boolean
  pending: Promise<string> | undefined
}

const newToken = (parts: Parts) => `sk-contract-0123456789-${parts.version}`
const failing = (parts: Parts, error: () => unknown) => async () => {
  if (parts.isDown) throw error()
  return newToken(parts)
}

type Broken = readonly [
  mistake: string,
  name: string,
  worse: (parts: Parts) => Partial<TokenSource>,
  error?: string,
]

/** One broken source or more for each case: the mistake, the case that finds it, the source, and how it fails. */
const broken: readonly Broken[] = [
  ['gives nothing', 'gives a token that', () => ({ token: async () => '' })],
  ['gives undefined', 'gives a token that', () => ({ token: async () => undefined as unknown as string })],
  ['keeps Bearer before it', 'gives a token that', () => ({ token: async () => 'Bearer sk-abc123' })],
  ['gives the scheme', 'gives a token that', () => ({ token: async () => 'Bearer' })],
  ['keeps the line break', 'gives a token that', () => ({ token: async () => 'sk-abc123\n' })],
  ['acquires each time', 'gives a token that', (parts) => ({ token: async () => `sk-${++parts.acquired}` })],
  [
    'acquires for each request',
    'requests at the same time',
    (parts) => ({
      async token() {
        parts.acquired += 1
        return newToken(parts)
      },
    }),
  ],
  ['ignores refusals', 'replaces a refused token', () => ({ refused: async () => {} })],
  [
    'renews for each who waits',
    'replaces a refused token',
    (parts) => ({
      async token() {
        if (parts.kept === newToken(parts)) return parts.kept
        parts.acquired += 1
        await Promise.resolve()
        parts.kept = newToken(parts)
        return parts.kept
      },
    }),
  ],
  [
    'does not compare',
    'a refusal of an unknown token',
    (parts) => ({
      async refused() {
        parts.kept = undefined
      },
    }),
  ],
  [
    'believes late refusals',
    'a late refusal',
    (parts) => ({
      async refused(token) {
        if (token.startsWith('sk-')) parts.kept = undefined
      },
    }),
  ],
  [
    'wants an error in the challenge',
    'takes a refusal that says nothing',
    () => ({
      async refused(_token, { error }) {
        if (error === undefined) throw new TypeError('no error')
      },
    }),
    'TypeError',
  ],
  [
    'fails with an error of its own',
    'an outage is',
    (parts) => ({ token: failing(parts, () => new Error('x')) }),
  ],
  [
    'blames the token',
    'an outage is',
    (parts) => ({ token: failing(parts, () => new AuthError('invalid_token', 'bad')) }),
  ],
  ['gives the old token on', 'an outage is', (parts) => ({ token: async () => newToken(parts) })],
  [
    'gives nothing when it is down',
    'an outage is',
    (parts) => ({ token: async () => (parts.isDown ? '' : 'sk-abc') }),
  ],
  [
    'shows the password in the message',
    'an outage shows no secret',
    (parts) => ({ token: failing(parts, () => new AuthError('token_unavailable', `no: ${password}`)) }),
  ],
  [
    'shows the password in the cause',
    'an outage shows no secret',
    (parts) => ({
      token: failing(parts, () => new AuthError('token_unavailable', 'no', { cause: new Error(password) })),
    }),
  ],
  [
    'shows the old token in a property',
    'an outage shows no secret',
    (parts) => ({
      token: failing(parts, () =>
        Object.defineProperty(new AuthError('token_unavailable', 'no'), 'old', { value: newToken(parts) }),
      ),
    }),
  ],
  [
    'shows the password in base64',
    'an outage shows no secret',
    (parts) => ({ token: failing(parts, () => new AuthError('token_unavailable', btoa(`${password}`))) }),
  ],
  [
    'remembers the outage',
    'gives tokens again',
    (parts) => {
      let failure: AuthError | undefined
      const token = async () => {
        if (parts.isDown) failure = new AuthError('token_unavailable', 'no')
        if (failure) throw failure
        return newToken(parts)
      }
      return { token }
    },
    'AuthError',
  ],
  [
    'lets one caller stop all',
    'whoever gives up',
    (parts) => {
      let shared: Promise<string> | undefined
      const begin = async (signal?: AbortSignal) => {
        await Promise.resolve()
        signal?.throwIfAborted()
        return newToken(parts)
      }
      return {
        token: async ({ signal }) => {
          shared ??= begin(signal).finally(() => {
            shared = undefined
          })
          return shared
        },
      }
    },
    'AbortError',
  ],
  [
    'holds the password in a property',
    'shows no secret of its own',
    () => Object.defineProperty({}, 'password', { value: password }),
  ],
  [
    'holds the token under a symbol',
    'shows no secret of its own',
    (parts) => ({
      get [Symbol('token')]() {
        return parts.kept
      },
    }),
  ],
  [
    'writes down what was refused',
    'what it has given stays hidden',
    () => {
      const rejected: string[] = []
      const refused = async (token: string) => void rejected.push(token)
      return { rejected, refused }
    },
  ],
]

const cases = tokenSourceContract(() => sourceUnderTest())

describe('the contract of token sources', () => {
  it.each(cases.map(({ name, run }) => [name, run] as const))('a good source: %s', async (_name, run) => {
    await expect(run()).resolves.toBeUndefined()
  })

  const all = broken.map(([mistake, name, worse, error = 'AssertionError']) => ({
    mistake,
    name,
    worse,
    error,
  }))
  it.each(all)('finds a source that $mistake', async ({ name, worse, error }) => {
    const found = tokenSourceContract(() => sourceUnderTest(worse)).find((one) => one.name.startsWith(name))
    await expect(found?.run()).rejects.toMatchObject({ name: error })
  })

  it('closes what it has made, whatever happens', async () => {
    let open = 0
    const make = () => {
      open += 1
      const close = () => {
        open -= 1
      }
      return { source: { token: async () => 'not a token' }, secrets: [], close }
    }
    const results = await Promise.allSettled(tokenSourceContract(make).map(({ run }) => run()))
    expect(results[0]?.status).toBe('rejected')
    expect(open).toBe(0)
  })
})
