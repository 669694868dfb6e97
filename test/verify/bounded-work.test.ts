import crypto from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { jwtVerifier } from 'mcp-bearer/verify'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { pick, write } from './draft.ts'
import {
  audience,
  clock,
  encodePart,
  goodClaims,
  hmac,
  issuer,
  pkcs1,
  quiet,
  type Signer,
  signParts,
} from './forge.ts'
import { draftOf, recipe } from './mutations.ts'
import { publicJwk, rsa, secret } from './vectors/material.ts'
import { worlds } from './worlds.ts'

// Whoever sends a token decides what is in it. No clock here: what is counted is the same on every machine.
const parse = vi.spyOn(JSON, 'parse')
const decode = vi.spyOn(TextDecoder.prototype, 'decode')
const bytesFrom = vi.spyOn(Buffer, 'from')
const verify = vi.spyOn(crypto, 'verify')
const createHmac = vi.spyOn(crypto, 'createHmac')
const hash = vi.spyOn(crypto, 'hash')
const exec = vi.spyOn(RegExp.prototype, 'exec')
const spies = [parse, decode, bytesFrom, verify, createHmac, hash, exec]
afterAll(() => vi.restoreAllMocks())
beforeEach(() => vi.clearAllMocks())

const environment = { clock, logger: quiet }
// After the spies: a verifier takes what it needs of `node:crypto` when it is made.
const verifiers = {
  HS256: jwtVerifier({ secret, algorithm: 'HS256', issuer, audience }, environment),
  RS256: jwtVerifier({ publicKey: publicJwk(rsa), issuer, audience }, environment),
}
type Name = keyof typeof verifiers

/** What was done for one token, in calls and in characters. */
interface Work {
  readonly isAccepted: boolean
  readonly signatures: number
  readonly digests: number
  readonly charactersParsed: number
  readonly bytesDecoded: number
  readonly charactersTurnedToBytes: number
  readonly patterns: readonly RegExp[]
}

async function workFor(name: Name, token: string): Promise<Work> {
  // Nothing is owed from tokens before, so that all of it is done at once.
  await nextTurn()
  for (const spy of spies) spy.mockClear()
  const pending = verifiers[name].verifyToken(token)
  const work = {
    signatures: verify.mock.calls.length + createHmac.mock.calls.length,
    digests: hash.mock.calls.length,
    charactersParsed: sumOf(parse.mock.calls.map(([text]) => text.length)),
    bytesDecoded: sumOf(decode.mock.calls.map(([bytes]) => bytes?.byteLength ?? 0)),
    charactersTurnedToBytes: sumOf(bytesFrom.mock.calls.map(([text]) => String(text).length)),
    patterns: [...exec.mock.contexts] as RegExp[],
  }
  return { ...work, isAccepted: (await pending) !== null }
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)

/** For a token of `length` characters. */
function expectBounded(work: Work, length: number): void {
  expect(work.signatures).toBeLessThanOrEqual(1)
  expect(work.digests).toBeLessThanOrEqual(1)
  // Each object once, and once more to say why it is refused; names with escapes in them, twice as often.
  expect(work.bytesDecoded).toBeLessThanOrEqual(2 * length)
  expect(work.charactersParsed).toBeLessThanOrEqual(4 * length)
  // Three parts, what was signed, a header that is remembered; and two parts once more.
  expect(work.charactersTurnedToBytes).toBeLessThanOrEqual(4 * length)
}

const signers: Readonly<Record<Name, Signer>> = { HS256: hmac(secret), RS256: pkcs1(rsa.privateKey) }
const signed = (name: Name, payload: string) =>
  signParts(signers[name], encodePart({ alg: name, kid: 'k1' }), encodePart(payload))

/** As much of it as goes into a token of 8 KiB. */
const filled = (start: string, piece: (at: number) => string, end: string) => {
  let middle = ''
  for (let at = 0; middle.length + piece(at).length < 5600; at++) middle += piece(at)
  return start + middle + end
}
const claims = JSON.stringify(goodClaims).slice(0, -1)
const escaped = (at: number) => `\\u${at.toString(16).padStart(4, '0')}`

/** What costs most of what can be sent. */
const expensive: Readonly<Record<string, string>> = {
  'names that are all escapes': filled(claims, (at) => `,"${escaped(at + 256)}":0`, '}'),
  'one name that is all escapes': filled(`${claims},"`, escaped, '":0}'),
  'as many members as there can be': filled(claims, (at) => `,"${at.toString(36)}":0`, '}'),
  'a member twice at the very end': filled(claims, (at) => `,"${at.toString(36)}":0`, ',"aud":0}'),
  'objects within each other': filled('', () => '{"":', ''),
  'lists beside each other': filled(`${claims},"x":[`, () => '[],', '0]}'),
  'lists that end before they begin': filled('', () => ']', ''),
  'a text that does not end': filled(`${claims},"`, () => '\\\\', ''),
  'a text of quotes': filled(`${claims},"x":"`, () => '\\"', '"}'),
  'a number of many digits': filled(`${claims},"x":`, () => '9', '}'),
  'a fraction of many digits': filled(`${claims},"x":0.`, () => '3', '}'),
  blanks: filled(claims, () => ' ', '}'),
  'many scopes': filled(claims.replace(/"scope":"[^"]*"/, '"scope":"'), (at) => ` ${at.toString(36)}`, '"}'),
  'many audiences': filled(
    `{"iss":"${issuer}","sub":"user-1","exp":1800000300,"aud":["${audience}"`,
    (at) => `,"${at}"`,
    ']}',
  ),
}

describe('the work for one token', () => {
  it.each(Object.entries(expensive))('B-33 is bounded by its length: %s', async (_name, payload) => {
    for (const name of ['HS256', 'RS256'] as const) {
      const token = signed(name, payload)
      expect(token.length).toBeGreaterThan(7500)
      expect(token.length).toBeLessThanOrEqual(8192)
      expectBounded(await workFor(name, token), token.length)
    }
  })

  it('B-33 is bounded by its length: 2,000 mutated tokens', async () => {
    let accepted = 0
    const property = fc.asyncProperty(recipe, async (made) => {
      const name = pick(['HS256', 'RS256'] as const, made.verifier % 8 === 0 ? 1 : 0)
      const { right, wrong } = worlds[name]
      const token = write(draftOf(made, name), pick([right, ...wrong], made.signature))
      const work = await workFor(name, token)
      if (work.isAccepted) accepted += 1
      if (token.length > 8192) expect(work).toEqual(none)
      else expectBounded(work, token.length)
    })
    await fc.assert(property, { numRuns: 1000, seed: 20_260_801 })
    await fc.assert(property, { numRuns: 1000 })
    expect(accepted).toBeGreaterThan(200)
  })

  it.each([8193, 20_000, 1_000_000, 20_000_000])(
    'B-33 is none for a token of %i characters',
    async (length) => {
      const filling = 'x'.repeat(length)
      const good = signed('HS256', `${claims},"x":"${'x'.repeat(5000)}"}`)
      for (const token of [filling, `${good}${filling}`.slice(0, length), `${good}.${filling}`]) {
        expect(await workFor('HS256', token)).toEqual(none)
      }
    },
  )

  it('B-33 is counted at all: a good token costs one signature, one digest, and no signature when it comes again', async () => {
    const token = signed('HS256', `${claims},"jti":"counted"}`)
    const first = await workFor('HS256', token)
    expect(first).toMatchObject({ isAccepted: true, signatures: 1, digests: 1 })
    expect(first.charactersParsed).toBeGreaterThan(150)
    expect(first.bytesDecoded).toBeGreaterThan(150)
    expect(first.charactersTurnedToBytes).toBeGreaterThan(token.length)
    const again = await workFor('HS256', token)
    expect(again).toMatchObject({
      isAccepted: true,
      signatures: 0,
      digests: 1,
      charactersParsed: 0,
      bytesDecoded: 0,
    })
  })
})

const none: Work = {
  isAccepted: false,
  signatures: 0,
  digests: 0,
  charactersParsed: 0,
  bytesDecoded: 0,
  charactersTurnedToBytes: 0,
  patterns: [],
}

describe('the patterns a token is compared with', () => {
  it('B-33 take linear time, whatever the token: each step forward leaves one way to go on', async () => {
    const payload = `${claims.replace(/"scope":"[^"]*"/, '"scope":["a","b"]')},"jti":"patterns"}`
    const header = encodePart({ alg: 'HS256', cty: 'json', kid: 'patterns' })
    const work = await workFor('HS256', signParts(signers.HS256, header, encodePart(payload)))
    expect(work.isAccepted).toBe(true)
    const patterns = new Map(work.patterns.map((pattern) => [String(pattern), pattern]))
    // The shape of a token, the type of its content, a scope.
    expect(patterns.size).toBeGreaterThanOrEqual(3)
    expect([...patterns.values()].filter((pattern) => !isDeterministic(pattern)).map(String)).toEqual([])
  })

  it.each([
    [/^a+\.a+$/, true],
    [/^(?:x\/)?jwt$/i, true],
    [/^a+b?a+$/, false],
    [/^a+a$/, false],
    [/^a*[ab]*$/, false],
    [/^(?:a+)+$/, false],
    [/a+$/, false],
    [/^(a|b)+$/, false],
    [/^\w+[-\w]$/, false],
  ])('which is told of %s', (pattern, expected) => {
    expect(isDeterministic(pattern)).toBe(expected)
  })
})

const characters = Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code))

/**
 * Whether a pattern begins at one place only, repeats nothing but single characters, and can tell from the next
 * character whether a repetition goes on or is over: then it never has to go back. Understands what it needs to; what it
 * does not understand is not deterministic.
 */
function isDeterministic({ source, flags }: RegExp): boolean {
  const [, body] = /^\^(.*)\$$/.exec(source) ?? []
  if (body === undefined) return false
  const atoms = [
    ...body.matchAll(/(\(\?:(?:\\.|[\w-])+\)\?|\[(?:\\.|[^\]\\])+\]|\\.|[^()[\]\\.*+?|^$])([*+?]?)/g),
  ]
  if (atoms.map(([whole]) => whole).join('') !== body) return false
  const begins = atoms.map(([, atom = '']) => {
    const first = /^\(\?:(\\.|.)/.exec(atom)?.[1] ?? atom
    return new Set(characters.filter((character) => new RegExp(`^${first}$`, flags).test(character)))
  })
  const isOptional = atoms.map(
    ([, atom = '', times]) => times === '?' || times === '*' || atom.endsWith(')?'),
  )
  return atoms.every(([, , times], at) => {
    if (!isOptional[at] && times !== '+') return true
    const last = isOptional.indexOf(false, at + 1)
    const after = begins.slice(at + 1, last === -1 ? undefined : last + 1)
    return [...(begins[at] ?? [])].every((character) => !after.some((next) => next.has(character)))
  })
}
