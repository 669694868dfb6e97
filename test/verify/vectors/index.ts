import type { JwtVerifierOptions } from 'mcp-bearer/verify'
import { now } from '../forge.ts'
import { claims } from './claims.ts'
import { header } from './header.ts'
import { keys } from './keys.ts'
import { kinds } from './kinds.ts'
import { passing } from './passing.ts'
import { passingClaims } from './passing-claims.ts'
import { ofProviders } from './providers.ts'
import { scopes } from './scopes.ts'
import { signature } from './signature.ts'
import { structure } from './structure.ts'
import { times } from './times.ts'
import { usual, type Vector } from './vector.ts'
import { verifierSetups } from './verifiers.ts'

export { type Identity, usual, type Vector } from './vector.ts'
export { prepareVerifiers, type VerifierName, verifierSetups } from './verifiers.ts'

/** The vectors by what they are about, in the order of the table in the docs. */
export const themes: Readonly<Record<string, readonly Vector[]>> = {
  'Structure and encoding': structure,
  'The header': header,
  Signatures: signature,
  'Algorithms and keys': keys,
  Claims: claims,
  Times: times,
  Scopes: scopes,
  'Kinds of tokens': kinds,
  'Tokens that must pass': [...passing, ...passingClaims],
  Providers: ofProviders,
}

/** All of them. */
export const vectors: readonly Vector[] = Object.values(themes).flat()

/** A vector with everything that is needed to run it elsewhere. */
export interface PlainVector {
  readonly name: string
  readonly options: JwtVerifierOptions
  readonly token: string
  readonly expected: string
  /** For accepted tokens; no subject is `null`. */
  readonly expects?: {
    readonly subject: string | null
    readonly clientId: string
    readonly scopes: readonly string[]
  }
  /** Seconds since 1970. */
  readonly now: number
}

/** As plain data, for other runtimes: all vectors whose verifier needs no function and no key set to be fetched. */
export function asJson(): PlainVector[] {
  return vectors
    .filter(({ verifier }) => isPlain(verifierSetups[verifier].options))
    .map(({ name, verifier, token, expected, expects }) => {
      const { subject, ...identity } = { ...usual, ...expects }
      return {
        name,
        options: verifierSetups[verifier].options,
        token: token(),
        expected,
        ...(expected === 'accepted' && { expects: { subject: subject ?? null, ...identity } }),
        now,
      }
    })
}

function isPlain({ jwksUri, rules }: JwtVerifierOptions): boolean {
  return jwksUri === undefined && !Object.values(rules ?? {}).some((rule) => typeof rule === 'function')
}
