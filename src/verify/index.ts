export type { JwsAlgorithm } from './algorithms.ts'
export { anyOf } from './any-of.ts'
export { type ApiKeyVerifier, apiKeyVerifier } from './api-key.ts'
export type { ApiKeyVerifierOptions } from './api-key-options.ts'
export { ApiKeyAuthProvider } from './api-key-provider.ts'
export {
  BearerAuthProvider,
  BearerAuthProvider as JWTVerifier,
  type BearerAuthProviderOptions,
} from './bearer-auth-provider.ts'
export { type CachedOptions, cached } from './cached.ts'
export {
  bearerToken,
  type ClientAuthentication,
  type ClientAuthenticationRequest,
  clientSecretBasic,
  clientSecretPost,
} from './client-authentication.ts'
export { diagnosticsEvents } from './diagnostics.ts'
export type { VerifierEnvironment } from './environment.ts'
export { explainToken, type TokenExplanation } from './explain.ts'
export { type IntrospectionVerifierOptions, introspectionVerifier } from './introspection.ts'
export { jwtVerifier } from './jwt.ts'
export type { JwtVerifierOptions } from './jwt-options.ts'
export type { Claims, JwtRuleOptions } from './jwt-rules.ts'
export type { PublicJwk } from './keys.ts'
export { type MetricsMeter, metricEvents } from './metrics.ts'
export { type PrivateJwk, type PrivateKeyJwtOptions, privateKeyJwt } from './private-key-jwt.ts'
export { type RefusalReason, refusalReasons, type TokenRefusal } from './refusal.ts'
export { revocable } from './revocable.ts'
export {
  type CutOff,
  type MemoryRevocations,
  memoryRevocations,
  type Revocations,
  type RevokedToken,
} from './revocations.ts'
export { type StaticToken, staticVerifier } from './static.ts'
export {
  type StoredRevocations,
  type StoredRevocationsOptions,
  storedRevocations,
} from './stored-revocations.ts'
