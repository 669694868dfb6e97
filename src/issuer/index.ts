export {
  generateKeyPair,
  keyPairFromPem,
  type SigningAlgorithm,
  signingAlgorithms,
} from './any-key-pair.ts'
export { type ECCurve, ECKeyPair, type ECKeyPairOptions } from './ec.ts'
export { Ed25519KeyPair } from './ed25519.ts'
export type { CreateTokenOptions, IssuerJwk, IssuerJwkSet, KeyPair } from './key-pair.ts'
export { LocalIssuer, type LocalIssuerOptions } from './local-issuer.ts'
export { type RSAAlgorithm, RSAKeyPair, type RSAKeyPairOptions } from './rsa.ts'
