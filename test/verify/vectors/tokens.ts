import { forgeWith, goodClaims, type Part, pkcs1 } from '../forge.ts'
import { rsa } from './material.ts'

/** Header of a good token for the verifier `rs256`. */
export const goodHeader = { alg: 'RS256', typ: 'at+jwt', kid: 'k1' }

/** Signed with the right RSA key, whatever is in the parts. */
export const signed: (header: Part, payload: Part) => string = forgeWith(pkcs1(rsa.privateKey))

/** A good token but for these members of its header; `undefined` takes one away. */
export const withHeader = (members: object) => signed({ ...goodHeader, ...members }, goodClaims)

/** A good token but for these claims; `undefined` takes one away. */
export const withClaims = (members: object) => signed(goodHeader, { ...goodClaims, ...members })

/** A good token around this payload. */
export const withPayload = (payload: Part) => signed(goodHeader, payload)

export const good = () => withHeader({})

/** The three parts of a good token. */
export const parts = () => good().split('.') as [header: string, payload: string, signature: string]

/** The claims or the header as text with more members, for what `JSON.stringify` would not write. */
export const claimsText = (extra: string) => JSON.stringify(goodClaims).replace(/\}$/, `,${extra}}`)
export const headerText = (extra: string) => JSON.stringify(goodHeader).replace(/\}$/, `,${extra}}`)

/** The claims as text, one of them with a value as it is written here. */
export const claimAs = (name: keyof typeof goodClaims, written: string) =>
  JSON.stringify({ ...goodClaims, [name]: '@' }).replace('"@"', written)

/** A member that brings the object that holds it to this depth and one. */
export const nested = (depth: number) => `"deep":${'['.repeat(depth)}${']'.repeat(depth)}`

/** The token with its signature changed. */
export function resigned(token: string, change: (signature: Buffer) => Uint8Array): string {
  const at = token.lastIndexOf('.') + 1
  const signature = change(Buffer.from(token.slice(at), 'base64url'))
  return token.slice(0, at) + Buffer.from(signature).toString('base64url')
}

/** Turns over some bits of one byte of a signature; -1 is the last byte. */
export const flipped =
  (at: number, bits = 1) =>
  (raw: Buffer) =>
    raw.map((byte, place) => (place === (at < 0 ? raw.length + at : at) ? byte ^ bits : byte))
