export { type StdioBridge, type StdioBridgeOptions, stdioBridge } from './bridge/stdio-bridge.ts'
export {
  type CommandUpstream,
  type CommandUpstreamOptions,
  commandUpstream,
  type ProcessLimits,
} from './command/command-upstream.ts'
export { childEnvironment } from './command/environment.ts'
export { type WatchFileOptions, watchFile } from './file/file-watch.ts'
export type {
  GatewayFile,
  GatewayFileAuth,
  GatewayFileExchange,
  GatewayFileHttp,
  GatewayFileIdentity,
  GatewayFileIntrospection,
  GatewayFileLimits,
  GatewayFileProcesses,
  GatewayFileUpstream,
} from './file/gateway-document.ts'
export {
  GatewayFileError,
  type GatewayFileProblem,
  parseGatewayFile,
  readGatewayFile,
} from './file/gateway-file.ts'
export { gatewayFileSchema } from './file/gateway-schema.ts'
export { type GatewayCounts, type GatewayGauge, gatewayCounts } from './front/counts.ts'
export { type IdentityAssertion, type IdentityAssertionOptions, identityAssertion } from './front/identity.ts'
export { requestLine } from './front/request-log.ts'
export { type Gateway, gateway } from './gateway.ts'
export type { GatewayHttpOptions, GatewayLimits, GatewayOptions } from './gateway-options.ts'
export type { HttpUpstreamOptions } from './http/http-settings.ts'
export { httpUpstream } from './http/http-upstream.ts'
export type { ExchangeOptions } from './http/upstream-credential.ts'
export type { JsonObject, RpcId, RpcMessage } from './message.ts'
export { boundPolicy } from './policy/policy-bound.ts'
export type { Globs, PolicyDocument, PolicyRule, PolicyThings, PolicyWho } from './policy/policy-document.ts'
export { type GatewayPolicyOptions, gatewayPolicy } from './policy/policy-engine.ts'
export type { GatewayPolicy, Judgement, PolicyCaller, ToolLookup } from './policy.ts'
export type { RequestEntry, RequestSink } from './request-entry.ts'
export { type Passage, type Upstream, UpstreamError, type UpstreamProblem } from './upstream.ts'
