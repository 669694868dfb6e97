import { Buffer } from 'node:buffer'
import type { JwtVerifierOptions, PublicJwk } from 'mcp-bearer/verify'
import { now } from '../verify/forge.ts'
import { asJson, vectors, verifierSetups } from '../verify/vectors/index.ts'
import { keySets } from '../verify/vectors/key-sets.ts'
import { ownVectors } from './own-vectors.ts'

/** A token, the verifier it is shown to, and the time then: what `judge.mjs` reads. Plain JSON. */
export interface Question {
  /** What the token is, and nothing of the token itself. Unique. */
  readonly name: string
  readonly options: JwtVerifierOptions
  readonly token: string
  /** Seconds since 1970. */
  readonly now: number
  /** What is at `jwksUri`, where it is not to be fetched. */
  readonly keySet?: object
}

/** A question and its answer. */
export interface Vector extends Question {
  /** `accepted`, a reason, the code of an error, or `unsupported` for a key that cannot be used. */
  readonly expected: string
  /** Who an accepted token is for. */
  readonly expects?: Identity
  /** What a runtime must have to come to that answer; see the table of what they lack in `verify.test.ts`. */
  readonly needs?: Need
}

/** What is read from the claims of a token; no subject is `null`. */
export interface Identity {
  readonly subject: string | null
  readonly clientId: string
  readonly scopes: readonly string[]
}

/** What not every runtime has. */
export type Need = 'Ed448' | 'PEM' | 'early look at keys'

/** All that every runtime is asked: the table of `test/verify/vectors`, its key sets, and what runtimes differ in. */
export async function allVectors(): Promise<readonly Vector[]> {
  const own = (await ownVectors()).map((vector) => ({ ...vector, name: `on its own: ${vector.name}` }))
  return [...own, ...plainVectors(), ...keySetVectors()]
}

function plainVectors(): readonly Vector[] {
  return asJson().map((vector) => withNeed(vector, needOf(vector.options.publicKey)))
}

function keySetVectors(): readonly Vector[] {
  return vectors.flatMap(({ name, verifier, token: make, expected }) => {
    const { options } = verifierSetups[verifier]
    const keySet = keySets[String(options.jwksUri)]
    if (keySet === undefined) return []
    const token = make()
    return [withNeed({ name, options, token, now, expected, keySet }, needOf(keyIn(keySet, token)))]
  })
}

/** The key that a token names. */
function keyIn(keySet: { readonly keys?: unknown }, token: string): PublicJwk | undefined {
  const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()
  const kid = /"kid":"([^"]*)"/.exec(header)?.[1]
  return (keySet.keys as readonly (PublicJwk | null)[]).find((key) => key?.kid === kid) ?? undefined
}

function withNeed(vector: Vector, needs: Need | undefined): Vector {
  return needs === undefined ? vector : { ...vector, needs }
}

function needOf(publicKey: string | PublicJwk | undefined): Need | undefined {
  if (typeof publicKey === 'string') return publicKey.startsWith('{') ? undefined : 'PEM'
  if (publicKey?.kid === 'off-the-curve') return 'early look at keys'
  return publicKey?.crv === 'Ed448' ? 'Ed448' : undefined
}
