export type {
  CallToolResult,
  CompleteResult,
  CreateMessageRequestParams,
  CreateMessageResult,
  CreateMessageResultWithTools,
  ElicitRequestFormParams,
  ElicitRequestURLParams,
  ElicitResult,
  GetPromptResult,
  Implementation,
  LoggingLevel,
  LoggingMessageNotificationParams,
  ProgressCallback,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Root,
  ServerCapabilities,
  StandardSchemaV1,
  Tool,
} from '@modelcontextprotocol/client'
export {
  AuthError,
  type AuthErrorCode,
  type AuthErrorDetails,
  type BearerChallenge,
  ToolError,
} from '../core/index.ts'
export { type AuthProviderOptions, authProvider } from './auth-provider.ts'
export { BearerAuth } from './bearer-auth.ts'
export type { Change, ChangeFilter } from './changes.ts'
export { Client } from './client.ts'
export type { CallOptions, ClientOptions, CompleteOptions, ToolCallOptions } from './client-options.ts'
export type { Catalogue, CatalogueFailure, Origin } from './config/catalogue.ts'
export type { Separator } from './config/catalogue-names.ts'
export type { SavedVariable, SaveReport } from './config/config-save.ts'
export type { ConfigText } from './config/interpolate.ts'
export type {
  CommandReference,
  FileReference,
  RemoteServerConfig,
  ServerConfig,
  ServerType,
  StdioServerConfig,
} from './config/server-config.ts'
export { type DpopKey, type DpopKeyOptions, dpopKey } from './dpop.ts'
export {
  type AuthorizedFetchOptions,
  authorizedFetch,
  type FetchLike,
  type HttpOptions,
  type RetryOptions,
} from './fetch/authorized-fetch.ts'
export type { HeaderValues } from './fetch/headers.ts'
export type { ClientIdentity } from './grants/client-identity.ts'
export { type ResourceMetadata, resourceMetadata } from './grants/resource-metadata.ts'
export type { TokenSourceEnvironment } from './grants/token-environment.ts'
export type { ClientHandlers, QuestionContext } from './handlers.ts'
export {
  type ConnectReport,
  MCPClient,
  type MCPClientConfig,
  type MCPClientOptions,
} from './mcp-client.ts'
export { type ClientCredentialsOptions, clientCredentials } from './sources/client-credentials.ts'
export { type CommandTokenOptions, commandToken } from './sources/command.ts'
export {
  type EnterpriseManagedOptions,
  enterpriseManaged,
  type IdentityProvider,
} from './sources/enterprise.ts'
export { envToken } from './sources/env.ts'
export { type FileTokenOptions, fileToken } from './sources/file.ts'
export {
  type ExpiringToken,
  type FunctionTokenOptions,
  functionToken,
  type TokenFunction,
} from './sources/function.ts'
export { type OAuthOptions, oauth } from './sources/oauth.ts'
export { type RefreshTokenOptions, refreshToken } from './sources/refresh-token.ts'
export { type TokenExchangeOptions, tokenExchange } from './sources/token-exchange.ts'
export { type WorkloadIdentityOptions, workloadIdentity } from './sources/workload-identity.ts'
export { type FileTokenStoreOptions, fileTokenStore } from './stores/file-token-store.ts'
export { memoryTokenStore, type StoredTokens, type TokenStore } from './stores/token-store.ts'
export type { Subscription, SubscriptionEnd } from './subscription.ts'
export type { InProcessServer } from './target.ts'
export type { AuthOption, DpopProver, TokenRequest, TokenSource } from './token-source.ts'
export type { ToolResult } from './tool-result.ts'
export {
  type ClientTransport,
  type OpenOptions,
  SSETransport,
  StreamableHttpTransport,
} from './transports/transports.ts'
