export type {
  CallToolResult,
  GetPromptResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from '@modelcontextprotocol/client'
export {
  AuthError,
  type AuthErrorCode,
  type AuthErrorDetails,
  type BearerChallenge,
  ToolError,
} from '../core/index.ts'
export {
  type AuthorizedFetchOptions,
  authorizedFetch,
  type FetchLike,
  type HttpOptions,
} from './authorized-fetch.ts'
export { BearerAuth } from './bearer-auth.ts'
export { type CallOptions, Client, type ClientOptions, type ToolCallOptions } from './client.ts'
export type { HeaderValues } from './headers.ts'
export type { ConfigText } from './interpolate.ts'
export { type ConnectReport, MCPClient, type MCPClientConfig, type MCPClientOptions } from './mcp-client.ts'
export type { RemoteServerConfig, ServerConfig, ServerType, StdioServerConfig } from './server-config.ts'
export { envToken } from './sources/env.ts'
export type { InProcessServer } from './target.ts'
export type { AuthOption, TokenRequest, TokenSource } from './token-source.ts'
export {
  type ClientTransport,
  type OpenOptions,
  SSETransport,
  StreamableHttpTransport,
} from './transports.ts'
