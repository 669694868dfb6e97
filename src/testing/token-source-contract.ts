import assert from 'node:assert/strict'
import type { TokenRequest, TokenSource } from '../client/token-source.ts'
import { AuthError, isBearerToken } from '../core/index.ts'
import type { ContractCase } from './contract-case.ts'
import { assertShowsNoSecret } from './secrets.ts'

/** A token source with what a test needs to move it. Cases that need what is left out pass without looking. */
export interface SourceUnderTest {
  readonly source: TokenSource
  /** What the source is asked for. Default: `https://mcp.example.com/mcp`. */
  readonly request?: TokenRequest | undefined
  /** Makes the next acquisition give another token, as if the present one had been revoked. */
  rotate?(): void | Promise<void>
  /** Breaks what the tokens come from, until `repair`. */
  fail?(): void | Promise<void>
  /** Undoes `fail`. */
  repair?(): void | Promise<void>
  /** How often a token was acquired so far. Leave it out for a source that looks at its origin for every request. */
  acquisitions?(): number
  /** What must not be shown besides the tokens: passwords, client secrets, assertions, output of commands. */
  readonly secrets: readonly string[]
  /** Removes what `make` has made. */
  close?(): void | Promise<void>
}

/**
 * What every `TokenSource` keeps to, as cases for any test runner: what it gives can be sent, requests at the same time
 * are one acquisition, a refused token is replaced and no other, an outage is an `AuthError` that shows no secret, and
 * whoever gives up leaves the others alone.
 *
 * @param make makes a new source for each case
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { functionToken } from 'mcp-bearer/client'
 * import { tokenSourceContract } from 'mcp-bearer/testing'
 *
 * const make = () => {
 *   let count = 0
 *   const source = functionToken(() => ({ token: `sk-vault-${++count}`, expiresIn: 3600 }))
 *   return { source, rotate() {}, acquisitions: () => count, secrets: [] }
 * }
 * for (const { name, run } of tokenSourceContract(make)) test(name, run)
 * ```
 */
export function tokenSourceContract(
  make: () => SourceUnderTest | Promise<SourceUnderTest>,
): readonly ContractCase[] {
  return Object.entries(cases).map(([name, check]) => ({
    name,
    async run() {
      const made = await make()
      try {
        await check(new Subject(made))
      } finally {
        await made.close?.()
      }
    },
  }))
}

const parallel = 50
const silent = { scopes: [] }

/** The source, and the tokens it has given, which are secrets as well: a failed comparison must not show them. */
class Subject {
  readonly source: TokenSource
  readonly made: SourceUnderTest
  readonly request: TokenRequest
  readonly #given = new Set<string>()

  constructor(made: SourceUnderTest) {
    this.made = made
    this.source = made.source
    this.request = made.request ?? { url: 'https://mcp.example.com/mcp' }
  }

  get secrets(): readonly string[] {
    return [...this.made.secrets, ...this.#given]
  }

  /** Asks for a token. Whatever the source gives, at any time, must be one. */
  async token(more: Partial<TokenRequest> = {}): Promise<string> {
    const token: unknown = await this.source.token({ ...this.request, ...more })
    assert.equal(typeof token, 'string', 'the source gave something that is no string')
    assert.ok(isBearerToken(token as string), 'the source gave something that cannot be a bearer token')
    this.#given.add(token as string)
    return token as string
  }

  /** Acquisitions that the work causes; `undefined` when they cannot be counted. */
  async count(work: () => Promise<unknown>): Promise<number | undefined> {
    const before = this.made.acquisitions?.()
    await work()
    const after = this.made.acquisitions?.()
    return before === undefined || after === undefined ? undefined : after - before
  }

  /** What the source fails with while it is broken, with nothing kept that could help it out. */
  async failure(): Promise<unknown> {
    const kept = await this.token()
    await this.made.fail?.()
    await this.source.refused?.(kept, silent)
    try {
      await this.token()
    } catch (error) {
      return error
    }
    return assert.fail('the source gave a token although it cannot have one')
  }
}

const cases: Readonly<Record<string, (subject: Subject) => Promise<void>>> = {
  async 'gives a token that RFC 6750 section 2.1 can carry, without Bearer'(subject) {
    const token = await subject.token()
    assert.ok(!/^bearer$/i.test(token), 'the source gave the name of the scheme')
    assert.ok(
      (await subject.token()) === token,
      'the source gave another token although nothing has happened',
    )
  },

  async 'requests at the same time get one token, of one acquisition'(subject) {
    let tokens: readonly string[] = []
    const acquired = await subject.count(async () => {
      tokens = await Promise.all(Array.from({ length: parallel }, () => subject.token()))
    })
    assert.equal(new Set(tokens).size, 1, 'requests at the same time got different tokens')
    assert.ok((acquired ?? 1) <= 1, `${parallel} requests at the same time were ${acquired} acquisitions`)
  },

  async 'replaces a refused token, once for all who wait'(subject) {
    if (!subject.made.rotate) return
    const old = await subject.token()
    await subject.made.rotate()
    await subject.source.refused?.(old, { scopes: [], error: 'invalid_token' })
    let tokens: readonly string[] = []
    const acquired = await subject.count(async () => {
      tokens = await Promise.all(Array.from({ length: parallel }, () => subject.token()))
    })
    assert.ok(!tokens.includes(old), 'the source gave the refused token again')
    assert.equal(new Set(tokens).size, 1, 'requests at the same time got different tokens')
    assert.ok((acquired ?? 1) <= 1, `one refused token was ${acquired} acquisitions`)
  },

  async 'a refusal of an unknown token renews nothing'(subject) {
    const token = await subject.token()
    const acquired = await subject.count(async () => {
      await subject.source.refused?.('never-given-0123456789', silent)
      assert.ok((await subject.token()) === token, 'the source gave another token')
    })
    assert.equal(acquired ?? 0, 0, 'the refusal of a token it never gave made the source acquire one')
  },

  async 'a late refusal of a token that was replaced renews nothing'(subject) {
    if (!subject.made.rotate) return
    const old = await subject.token()
    await subject.made.rotate()
    await subject.source.refused?.(old, silent)
    const token = await subject.token()
    const acquired = await subject.count(async () => {
      await subject.source.refused?.(old, silent)
      assert.ok((await subject.token()) === token, 'the source gave another token')
    })
    assert.equal(acquired ?? 0, 0, 'the refusal of a replaced token made the source acquire one')
  },

  async 'takes a refusal that says nothing, also before anything was asked'(subject) {
    await subject.source.refused?.('never-given-0123456789', silent)
    await subject.source.refused?.(await subject.token(), Object.freeze({ scopes: Object.freeze([]) }))
    await subject.token()
  },

  async 'an outage is an AuthError with code token_unavailable, never a token'(subject) {
    if (!subject.made.fail) return
    const error = await subject.failure()
    if (error instanceof assert.AssertionError) throw error
    assert.ok(error instanceof AuthError, 'the source failed with something that is no AuthError')
    assert.equal(error.code, 'token_unavailable')
    assert.notEqual(error.message, '', 'the error says nothing')
  },

  async 'an outage shows no secret'(subject) {
    if (!subject.made.fail) return
    assertShowsNoSecret('the error', await subject.failure(), subject.secrets)
  },

  async 'gives tokens again after an outage'(subject) {
    if (!subject.made.fail || !subject.made.repair) return
    await subject.failure()
    await subject.made.repair()
    await subject.token()
  },

  async 'whoever gives up leaves the others alone'(subject) {
    const gone = new AbortController()
    const mine = subject.token({ signal: gone.signal }).catch(() => {})
    const others = Promise.all([subject.token(), subject.token()])
    gone.abort()
    await mine
    const [one, other] = await others
    assert.ok(one === other, 'requests at the same time got different tokens')
    await subject.token({ signal: AbortSignal.abort() }).catch(() => {})
    assert.ok((await subject.token()) === one, 'the source gave another token after a request was aborted')
  },

  async 'shows no secret of its own'(subject) {
    assertShowsNoSecret('the source', subject.source, subject.made.secrets)
    await subject.token()
    assertShowsNoSecret('the source', subject.source, subject.secrets)
  },

  async 'what it has given stays hidden after a refusal'(subject) {
    const token = await subject.token()
    await subject.source.refused?.(token, silent)
    assertShowsNoSecret('the source', subject.source, subject.secrets)
  },
}
