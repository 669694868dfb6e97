export { AccessToken, type AccessTokenInit, completeVerdict, principalOf } from './access-token.ts'
export { type Credential, isBearerToken, maxTokenLength, readAuthorization } from './authorization.ts'
export {
  type BearerChallenge,
  type Challenge,
  formatChallenge,
  parseChallenges,
  readBearerChallenge,
} from './challenge.ts'
export { type Clock, systemClock } from './clock.ts'
export type { Poured, SharedCounters } from './counters.ts'
export { AuthError, type AuthErrorCode, type AuthErrorDetails, authErrorCodes } from './errors.ts'
export type { AuthEvent, AuthMethod, CacheUse, EventSink } from './events.ts'
export { formatLogEntry, type LogEntry, type Logger, stderrLogger, throttled, unfailing } from './log.ts'
export { redact, secretsOf } from './redact.ts'
export { redacted } from './redacted.ts'
export {
  isScopeToken,
  parseScopes,
  type ScopeHierarchy,
  type ScopePolicy,
  scopeList,
  scopePolicy,
} from './scopes.ts'
export { ToolError } from './tool-error.ts'
export type { CompleteTokenVerifier, TokenVerifier, Verdict, VerifyContext } from './verifier.ts'
