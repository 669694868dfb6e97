export type { Logger, TokenVerifier, Verdict } from '../core/index.ts'
export { AccessToken, type AccessTokenInit, AuthError, type AuthErrorCode, ToolError } from '../core/index.ts'
export { getAccessToken, requireAuth, requireScopes } from '../http/context.ts'
export { ECKeyPair, Ed25519KeyPair, RSAKeyPair } from '../issuer/index.ts'
export {
  ApiKeyAuthProvider,
  apiKeyVerifier,
  BearerAuthProvider,
  type BearerAuthProviderOptions,
  JWTVerifier,
  jwtVerifier,
  staticVerifier,
} from '../verify/index.ts'
export type { Authorize, AuthorizeAnswer, AuthorizeRequest } from './access.ts'
export type { RouteContext, RouteHandler, RouteOptions } from './custom-routes.ts'
export type { HttpOptions, Sessions } from './http-options.ts'
export type { Route } from './http-side.ts'
export type {
  Elicitation,
  ElicitationAnswer,
  Root,
  Sampling,
  SamplingAnswer,
  SamplingMessage,
} from './input-types.ts'
export type { Limits } from './limits.ts'
export type { Listening, ListenOptions } from './listen.ts'
export { type About, MCPServer, type MCPServerOptions } from './mcp-server.ts'
export type { Middleware, MiddlewareRequest } from './middleware.ts'
export type { PromptHandler } from './prompts.ts'
export type { ResourceHandler } from './resources.ts'
export type { PromptResult } from './result.ts'
export type { StdioConnection } from './stdio.ts'
export type { ToolHandler } from './tools.ts'
export type {
  Complete,
  CompletionContext,
  ContentBlock,
  HandlerContext,
  Icon,
  Listed,
  ListedResource,
  LogLevel,
  PromptMessage,
  PromptOptions,
  ResourceContents,
  ResourceContext,
  ResourceOptions,
  StandardSchema,
  ToolAnnotations,
  ToolOptions,
  ToolResult,
  Validated,
} from './types.ts'
