import type { RefusalReason } from 'mcp-bearer/verify'
import type { VerifierName } from './verifiers.ts'

/** One token, the verifier it is shown to, and what must become of it. */
export interface Vector {
  /** The requirements it stands for. */
  readonly ids: readonly string[]
  /** What the token is: a sentence, and nothing of the token itself. Unique. */
  readonly name: string
  readonly verifier: VerifierName
  /** Makes the token. Keys are fresh in each run, so no token is ever written down. */
  readonly token: () => string
  readonly expected: RefusalReason | 'accepted'
  /** What an accepted token must be read as, where that differs from {@link usual}. */
  readonly expects?: Partial<Identity>
}

/** Who a token is for, and what it allows. */
export interface Identity {
  readonly subject: string | undefined
  readonly clientId: string
  readonly scopes: readonly string[]
}

/** What the good claims of `forge.ts` say. */
export const usual: Identity = { subject: 'user-1', clientId: 'app-1', scopes: ['mcp:read'] }

/** A token that must be refused. @param ids separated by blanks */
export function refused(
  ids: string,
  name: string,
  token: () => string,
  expected: RefusalReason,
  verifier: VerifierName = 'rs256',
): Vector {
  return { ids: ids.split(' '), name, verifier, token, expected }
}

/** A token that must pass. @param ids separated by blanks */
export function accepted(
  ids: string,
  name: string,
  token: () => string,
  expects: Partial<Identity> = {},
  verifier: VerifierName = 'rs256',
): Vector {
  return { ids: ids.split(' '), name, verifier, token, expected: 'accepted', expects }
}

/** A token that must be refused for its signature. @param ids separated by blanks */
export function badSignature(
  ids: string,
  name: string,
  token: () => string,
  verifier: VerifierName = 'rs256',
): Vector {
  return refused(ids, name, token, 'bad_signature', verifier)
}
