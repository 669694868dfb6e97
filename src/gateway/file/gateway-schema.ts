import type { JsonObject } from '../message.ts'
import { policyShape } from '../policy/policy-schema.ts'
import type {
  GatewayFile,
  GatewayFileAuth,
  GatewayFileExchange,
  GatewayFileHttp,
  GatewayFileIdentity,
  GatewayFileIntrospection,
  GatewayFileLimits,
  GatewayFileProcesses,
  GatewayFileUpstream,
} from './gateway-document.ts'
import { flag, list, type Members, named, object, oneOrMore, text, whole, word } from './shape.ts'

const line = text()
const texts = list(line, 1, 1000)
const oneText = oneOrMore(line, 1000)
/** A program may be given anything but NUL, which ends a text there. */
const argument = text({ pattern: /^[^\0]*$/, expected: 'a text' })

const processes: Members<GatewayFileProcesses> = {
  per: [
    word('session', 'principal'),
    'Whose a process is: of one session, or of all of a principal. Default: session.',
  ],
  max: [whole(1, 10_000), 'Processes altogether. Default: 100.'],
  maxPerPrincipal: [whole(1, 10_000), 'Processes of one principal. Default: 10.'],
  idleSeconds: [
    whole(1, 86_400),
    'Seconds without a request or an open stream until a process is stopped. Default: 300.',
  ],
  startSeconds: [whole(1, 3600), 'Seconds a process may take to answer for the first time. Default: 60.'],
  clientRoots: [
    flag,
    'Tells processes of the roots of their clients, which some servers open on this machine. Default: false.',
  ],
}

const exchange: Members<GatewayFileExchange> = {
  issuer: [line, 'The authorization server.'],
  tokenEndpoint: [line, 'Default: found in the metadata of issuer.'],
  clientId: [line, 'The gateway, as the authorization server knows it.'],
  clientSecret: [line, 'Its secret; write ${VAR}.'],
  audience: [line, 'Whom the new token is for.'],
  scopes: [texts, 'What the new token may do.'],
  resource: [line, 'The resource the new token is for (RFC 8707).'],
}

const headerName = text({ pattern: /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, expected: 'the name of a header' })

const upstream: Members<GatewayFileUpstream> = {
  auth: [line, 'Where its token comes from: env:NAME, file:PATH, command:…. Not together with exchange.'],
  headers: [named(line, headerName, 100), 'Headers sent with each request.'],
  exchange: [object(exchange, ['issuer']), "Exchanges the caller's token for one of the server (RFC 8693)."],
  allowInsecure: [flag, 'Sends a token over http to another machine. Default: false.'],
  timeoutSeconds: [
    whole(0, 86_400),
    'Seconds to the first byte of an answer; 0 waits for ever. Default: 600.',
  ],
}

const introspection: Members<GatewayFileIntrospection> = {
  endpoint: [line, 'The introspection endpoint.'],
  clientId: [line, 'The gateway, as the authorization server knows it.'],
  clientSecret: [line, 'Its secret; write ${VAR}.'],
}

const auth: Members<GatewayFileAuth> = {
  keys: [line, 'API keys: a database, as --keys takes it.'],
  jwks: [line, "URL of the issuer's JSON Web Key Set, or discover."],
  issuer: [oneText, 'Accepted values of iss.'],
  audience: [oneText, "This server's own names in aud."],
  algorithms: [texts, 'Accepted algorithms of signatures. Default: RS256.'],
  publicKey: [line, "A file with the issuer's public key."],
  introspect: [object(introspection, ['endpoint']), 'Asks an authorization server about tokens (RFC 7662).'],
  requiredScopes: [texts, 'Scopes every token must carry. Default: none.'],
  apiKeyHeader: [headerName, 'A header that is taken as the credential beside Authorization. Default: none.'],
}

const http: Members<GatewayFileHttp> = {
  resource: [line, 'The public URL of the endpoint, and the aud of its tokens (RFC 9728).'],
  allowedHosts: [texts, 'Host values taken.'],
  allowedOrigins: [texts, 'Origin values taken.'],
  trustProxy: [
    whole(0, 10),
    'How many proxies in front are trusted to tell the address of a caller. Default: 0.',
  ],
  scopesSupported: [texts, 'The scopes clients should ask for at first.'],
}

const identity: Members<GatewayFileIdentity> = {
  mode: [
    word('jwt', 'env'),
    'How the server is told who calls: a signed header, or variables in the environment of a process.',
  ],
  keyFile: [line, 'A file with the private key that signs. Default: a new key at each start.'],
  issuer: [line, 'iss of what is signed.'],
  audience: [line, 'aud of what is signed.'],
  header: [headerName, 'The header. Default: mcp-identity.'],
}

const limits: Members<GatewayFileLimits> = {
  requestsPerMinute: [whole(1, 1_000_000), 'Requests of one principal a minute. Default: no limit.'],
  failuresPerMinute: [
    whole(0, 1_000_000),
    'Bad credentials from one address a minute; 0 switches it off. Default: 60.',
  ],
  maxBodyBytes: [whole(1, 1024 ** 3), 'Bytes of a request body. Default: 4194304.'],
  maxStreams: [whole(1, 1_000_000), 'Streams one principal may have open. Default: 100.'],
  maxConnections: [whole(1, 1_000_000), 'Connections at a time. Default: 10000.'],
}

const file: Members<GatewayFile> = {
  $schema: [line, 'JSON Schema of this file, for editors. Has no effect.'],
  listen: [line, 'Where to listen: host:port. Default: 127.0.0.1:8000.'],
  path: [line, 'The path of the endpoint. Default: /mcp.'],
  url: [line, 'The server behind the gateway, where it speaks HTTP. Not together with command.'],
  command: [
    oneOrMore(line, 1000, argument),
    'The server behind the gateway, where it is a program: a list of its name and arguments, or one line.',
  ],
  cwd: [line, 'The working directory of command. Default: that of the gateway.'],
  env: [
    texts,
    'Which environment variables command gets: NAME, NAME=value, PREFIX_*. Default: the handful no program can do without.',
  ],
  processes: [object(processes), 'How many processes run, and for how long.'],
  upstream: [object(upstream), 'How the server behind the gateway is reached.'],
  auth: [object(auth), 'Which tokens are good. Several kinds together are all taken.'],
  http: [object(http), 'How the gateway behaves on HTTP.'],
  identity: [object(identity, ['mode']), 'Tells the server behind the gateway who calls.'],
  limits: [object(limits), 'What the gateway does not do more of.'],
  metrics: [line, 'Where metrics are served: host:port. Default: nowhere.'],
  log: [word('text', 'json'), 'How lines of the log are written. Default: text.'],
  policy: [policyShape, 'Who may see and do what. Default: every good token may do everything.'],
}

/** What a gateway file may be, as far as that can be said without reading one part together with another. */
export const gatewayFileShape = object(file)

/**
 * JSON Schema 2020-12 of a {@link GatewayFile}, for editors and other checks. Made from the same words as the parser,
 * which looks at more: whether schemas in it are schemas, and whether parts contradict each other.
 */
export const gatewayFileSchema: JsonObject = Object.freeze({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'mcp-bearer gateway',
  ...gatewayFileShape.schema,
})
