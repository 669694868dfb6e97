export type { AuthInfo } from './auth-info.ts'
export { getAccessToken, requireAuth, requireScopes, runWithToken, type TokenEntry } from './context.ts'
export { type BearerGate, type BearerGateOptions, bearerGate, isRefusal } from './gate.ts'
export type { RequestHead } from './head.ts'
export { loopbackOrigins, type OriginPolicy, type OriginPolicyOptions, originPolicy } from './origin.ts'
export { type Refusal, type RefusalDetails, refusalResponse } from './refusal.ts'
export {
  type ResourceMetadata,
  type ResourceMetadataOptions,
  resourceMetadata,
} from './resource-metadata.ts'
