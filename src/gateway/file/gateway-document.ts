import type { PolicyDocument } from '../policy/policy-document.ts'

/** How many processes run, and for how long. */
export interface GatewayFileProcesses {
  /** Whose a process is: of one session, or of all sessions of a principal. Default: `session`. */
  readonly per?: 'session' | 'principal'
  /** Processes altogether, 1 to 10,000. Default: 100. */
  readonly max?: number
  /** Processes of one principal, 1 to 10,000. Default: 10. */
  readonly maxPerPrincipal?: number
  /** Seconds without a request or an open stream after which a process is stopped. Default: 300. */
  readonly idleSeconds?: number
  /** Seconds a process may take to answer for the first time. Default: 60. */
  readonly startSeconds?: number
  /** Tells processes of the `roots` of their clients, which some servers open on this machine. Default: false. */
  readonly clientRoots?: boolean
}

/** Exchanges the caller's token for one of the server behind the gateway (RFC 8693). */
export interface GatewayFileExchange {
  /** The authorization server. */
  readonly issuer: string
  /** Default: found in the metadata of `issuer`. */
  readonly tokenEndpoint?: string
  readonly clientId?: string
  readonly clientSecret?: string
  readonly audience?: string
  readonly scopes?: readonly string[]
  readonly resource?: string
}

/** How the server behind the gateway is reached. */
export interface GatewayFileUpstream {
  /** Where its token comes from: `env:NAME`, `file:PATH`, `command:…`. Not together with `exchange`. */
  readonly auth?: string
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>
  readonly exchange?: GatewayFileExchange
  /** Sends a token over http to another machine. Default: false. */
  readonly allowInsecure?: boolean
  /** Seconds to the first byte of an answer; 0 waits for ever. Default: 600. */
  readonly timeoutSeconds?: number
}

/** Asks an authorization server about tokens (RFC 7662). */
export interface GatewayFileIntrospection {
  readonly endpoint: string
  readonly clientId?: string
  readonly clientSecret?: string
}

/** Which tokens are good. Several kinds together are all taken. */
export interface GatewayFileAuth {
  /** API keys: a database, as `--keys` takes it. */
  readonly keys?: string
  /** URL of the issuer's JSON Web Key Set, or `discover`. */
  readonly jwks?: string
  /** Accepted values of `iss`. */
  readonly issuer?: string | readonly string[]
  /** This server's own names in `aud`. */
  readonly audience?: string | readonly string[]
  /** Accepted algorithms of signatures. */
  readonly algorithms?: readonly string[]
  /** A file with the issuer's public key. */
  readonly publicKey?: string
  readonly introspect?: GatewayFileIntrospection
  /** Scopes every token must carry. Default: none. */
  readonly requiredScopes?: readonly string[]
  /** A header that is taken as the credential beside `Authorization`. Default: none. */
  readonly apiKeyHeader?: string
}

/** How the gateway behaves on HTTP. */
export interface GatewayFileHttp {
  /** The public URL of the endpoint, and the `aud` of its tokens (RFC 9728). */
  readonly resource?: string
  /** `Host` values taken. */
  readonly allowedHosts?: readonly string[]
  /** `Origin` values taken. */
  readonly allowedOrigins?: readonly string[]
  /** How many proxies in front are trusted to tell the address of a caller, 0 to 10. Default: 0. */
  readonly trustProxy?: number
  /** The scopes clients should ask for at first. */
  readonly scopesSupported?: readonly string[]
}

/** Tells the server behind the gateway who calls. */
export interface GatewayFileIdentity {
  /** `jwt`: a header signed by the gateway. `env`: variables in the environment of a process. */
  readonly mode: 'jwt' | 'env'
  /** A file with the private key that signs. Default: a new key at each start. */
  readonly keyFile?: string
  readonly issuer?: string
  readonly audience?: string
  /** Default: `mcp-identity`. */
  readonly header?: string
}

/** What the gateway does not do more of. */
export interface GatewayFileLimits {
  /** Requests of one principal a minute, 1 to 1,000,000. Default: no limit. */
  readonly requestsPerMinute?: number
  /** Bad credentials from one address a minute, 0 to 1,000,000; 0 switches it off. Default: 60. */
  readonly failuresPerMinute?: number
  /** Bytes of a request body. Default: 4 MiB. */
  readonly maxBodyBytes?: number
  /** Streams one principal may have open. Default: 100. */
  readonly maxStreams?: number
  /** Connections at a time. Default: 10,000. */
  readonly maxConnections?: number
}

/**
 * What a gateway is, in one file. Every member is optional, and the command line can say the same. `${VAR}` in it is
 * still as it was written: whoever uses the file fills it in.
 */
export interface GatewayFile {
  /** JSON Schema of this file, for editors. Has no effect. */
  readonly $schema?: string
  /** Where to listen: `host:port`, or a port. Default: `127.0.0.1:8000`. */
  readonly listen?: string
  /** The path of the endpoint. Default: `/mcp`. */
  readonly path?: string
  /** The server behind the gateway, where it speaks HTTP. Not together with `command`. */
  readonly url?: string
  /** The server behind the gateway, where it is a program: a list of its name and arguments, or one line. */
  readonly command?: string | readonly string[]
  /** The working directory of `command`. Default: that of the gateway. */
  readonly cwd?: string
  /** Which environment variables `command` gets: `NAME`, `NAME=value`, `PREFIX_*`. Default: the handful no program can do without. */
  readonly env?: readonly string[]
  readonly processes?: GatewayFileProcesses
  readonly upstream?: GatewayFileUpstream
  readonly auth?: GatewayFileAuth
  readonly http?: GatewayFileHttp
  readonly identity?: GatewayFileIdentity
  readonly limits?: GatewayFileLimits
  /** Where metrics are served, `host:port`. Default: nowhere. */
  readonly metrics?: string
  /** How lines of the log are written. Default: `text`. */
  readonly log?: 'text' | 'json'
  /** Who may see and do what. Default: every good token may do everything. */
  readonly policy?: PolicyDocument
}
