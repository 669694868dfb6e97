export type { JwsAlgorithm } from './algorithms.ts'
export {
  BearerAuthProvider,
  BearerAuthProvider as JWTVerifier,
  type BearerAuthProviderOptions,
} from './bearer-auth-provider.ts'
export type { VerifierEnvironment } from './environment.ts'
export { jwtVerifier } from './jwt.ts'
export type { JwtVerifierOptions } from './jwt-options.ts'
export type { PublicJwk } from './keys.ts'
export type { RefusalReason } from './refusal.ts'
export { type StaticToken, staticVerifier } from './static.ts'
