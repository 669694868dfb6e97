import { describe, expect, it } from 'vitest'
import { askers, outcomeCount, reasonsOfJwts, volumes } from './differential.ts'
import { encodePart, forgeWith, goodClaims, signParts } from './forge.ts'
import { opinionOn } from './reference.ts'
import { manners, optionsOf, type World, worlds } from './worlds.ts'

const [manner = { clockSkew: 60 }] = manners
const asker = ({ keys, keySet }: World) => askers({ ...keys, ...optionsOf(manner) }, keySet).first
const headerOf = ({ algorithm }: World) => ({ alg: algorithm, kid: 'k1' })

const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
const foreign = ['', '=', '+', '/', '.', ' ', '\n', '\0', '~', '%3D', '\u00e9', '\u200b', '\ud83d', '==']

/** Every token that differs from this one in a character: another, one more, one less, two exchanged; or only a part of it. */
function* neighbours(token: string): Generator<string> {
  for (let at = 0; at <= token.length; at++) {
    const [before, after] = [token.slice(0, at), token.slice(at)]
    for (const character of [...alphabet, ...foreign]) yield before + character + after.slice(1)
    for (const character of [...foreign, 'A', '_', '0']) yield before + character + after
    yield before + after.charAt(1) + after.charAt(0) + after.slice(2)
    yield before
    yield after
  }
}

/** Good tokens whose parts end in groups of each length. */
const ragged = (world: World) =>
  ['', 'x', 'xx', 'ÿþ?>', '\ud83d'].map((jti) =>
    forgeWith(world.right)({ ...headerOf(world), x: jti }, { ...goodClaims, jti }),
  )

describe('each character of a token', () => {
  it('B-11 B-30 B-31 counts: nothing else is accepted, whatever it is changed to', {
    timeout: 300_000,
  }, async () => {
    const ask = asker(worlds.HS256)
    const count = outcomeCount()
    for (const token of ragged(worlds.HS256)) {
      expect(await ask(token)).toBe('accepted')
      for (const other of neighbours(token)) {
        if (other === token) continue
        const outcome = await ask(other)
        count.add(outcome)
        if (!reasons.has(outcome)) expect.fail(`${placeOf(token, other)}: ${outcome}`)
      }
    }
    expect(count.total).toBeGreaterThanOrEqual(volumes.characters)
    expect(count.share('bad_signature')).toBeGreaterThan(0.1)
    expect(count.share('malformed')).toBeGreaterThan(0.1)
  })

  it.each(['EdDSA', 'ES256', 'RS256'] as const)(
    'B-10 B-31 of a signature of %s counts',
    async (algorithm) => {
      const world = worlds[algorithm]
      const ask = asker(world)
      const token = forgeWith(world.right)(headerOf(world), goodClaims)
      expect(await ask(token)).toBe('accepted')
      const start = token.lastIndexOf('.') + 1
      for (let at = start; at < token.length; at++) {
        for (const character of alphabet.filter(
          (other, place) => other !== token[at] && place % 9 === at % 9,
        )) {
          const outcome = await ask(token.slice(0, at) + character + token.slice(at + 1))
          if (outcome !== 'bad_signature' && outcome !== 'malformed')
            expect(`${at}: ${outcome}`).toBe('refused')
        }
      }
    },
  )
})

const reasons: ReadonlySet<string> = new Set(reasonsOfJwts)

/** Says where two tokens begin to differ, and nothing of what is in them. */
function placeOf(token: string, other: string): string {
  const at = [...token].findIndex((character, place) => character !== other[place])
  return `from character ${at} of ${token.length}, ${other.length} long`
}

describe('each byte of an object, rightly signed', () => {
  const world = worlds.HS256
  const demands = { ...manner, ...world.demands }
  const claims = Buffer.from(JSON.stringify(goodClaims))
  const header = Buffer.from(JSON.stringify({ ...headerOf(world), typ: 'JWT', 'é🔑': ['\ud83d', 1.5e3] }))

  it('B-27 B-32 B-45 the rules say the same of it, whatever it is changed to', {
    timeout: 300_000,
  }, async () => {
    const ask = asker(world)
    const count = outcomeCount()
    const [goodHeader, goodPayload] = [encodePart(header), encodePart(claims)]
    const judge = async (bytes: Uint8Array, inHeader: boolean, about: string) => {
      const part = encodePart(bytes)
      const token = signParts(world.right, inHeader ? part : goodHeader, inHeader ? goodPayload : part)
      const outcome = await ask(token)
      count.add(outcome)
      const { outcome: expected } = opinionOn(token, demands)
      if (outcome !== expected) expect([about, outcome]).toEqual([about, expected])
    }
    for (const bytes of [header, claims]) {
      for (let at = 0; at < bytes.length; at++) {
        for (let byte = bytes === header ? 0 : at % 3; byte < 256; byte += bytes === header ? 1 : 3) {
          await judge(
            bytes.map((old, place) => (place === at ? byte : old)),
            bytes === header,
            `byte ${at} is ${byte}`,
          )
        }
      }
    }
    expect(count.total).toBeGreaterThanOrEqual(volumes.bytes)
    for (const outcome of [
      'accepted',
      'malformed',
      'expired',
      'wrong_issuer',
      'wrong_audience',
      'invalid_time',
    ])
      expect([outcome, count.share(outcome) > 0]).toEqual([outcome, true])
  })
})
