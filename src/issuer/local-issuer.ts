import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Clock, systemClock } from '../core/clock.ts'
import { type Logger, stderrLogger } from '../core/log.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import type { CreateTokenOptions, IssuerJwkSet, KeyPair } from './key-pair.ts'
import { RSAKeyPair } from './rsa.ts'

/** How a {@link LocalIssuer} is started. */
export interface LocalIssuerOptions {
  /** TCP port on 127.0.0.1. Default: 0, any free one. */
  readonly port?: number
  /** What signs first. Default: a fresh RSA key pair. */
  readonly keyPair?: KeyPair
  /** What signed before it, in an earlier run: published beside it until {@link LocalIssuer.retire}. Default: none. */
  readonly previousKeyPair?: KeyPair
  /** Where `iat` comes from. Default: the clock of this machine. */
  readonly clock?: Clock
  /** Where the one warning goes. Default: standard error. */
  readonly logger?: Logger
}

/**
 * An issuer on this machine, **for development and tests**: it publishes its keys as a real authorization server does
 * and signs whatever it is asked to. There is no endpoint that gives out tokens; only the code that holds the object
 * can mint. Serves `/.well-known/jwks.json`, `/.well-known/openid-configuration` (OpenID Connect Discovery) and
 * `/.well-known/oauth-authorization-server` (RFC 8414).
 *
 * @example
 * ```ts
 * import { LocalIssuer } from 'mcp-bearer/issuer'
 * import { BearerAuthProvider } from 'mcp-bearer/verify'
 *
 * const local = await LocalIssuer.start()
 * const auth = new BearerAuthProvider({ jwksUri: local.jwksUri, issuer: local.issuer, audience: 'my-server' })
 * const token = await local.mint({ audience: 'my-server', scopes: ['read'] })
 * await auth.verifyToken(token)
 * await local.close()
 * ```
 */
export class LocalIssuer {
  /** The issuer identifier: its URL, without a slash at the end. */
  readonly issuer: string
  /** Where its keys are. */
  readonly jwksUri: string
  readonly #server: Server
  readonly #clock: Clock
  #current: KeyPair
  #previous: KeyPair | undefined

  /**
   * Starts listening on 127.0.0.1, and warns that this is for development.
   * @throws TypeError naming the option that is unknown or of the wrong type
   */
  static async start(options: LocalIssuerOptions = {}): Promise<LocalIssuer> {
    checkOptions('LocalIssuer', options, ['port', 'keyPair', 'previousKeyPair', 'clock', 'logger'])
    const { port = 0, clock = systemClock, logger = stderrLogger } = options
    numberBetween('LocalIssuer: port', port, 0, 65_535)
    const keyPair = options.keyPair ?? (await RSAKeyPair.generate())
    const server = createServer()
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const issuer = new LocalIssuer(server, keyPair, options.previousKeyPair, clock)
    logger({
      level: 'warn',
      event: 'development_issuer',
      message: 'LocalIssuer is for development and tests only: whoever runs this process can sign any token',
      details: { issuer: issuer.issuer },
    })
    return issuer
  }

  private constructor(server: Server, keyPair: KeyPair, previous: KeyPair | undefined, clock: Clock) {
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    this.jwksUri = `${this.issuer}/.well-known/jwks.json`
    this.#server = server
    this.#clock = clock
    this.#current = keyPair
    this.#previous = previous
    server.on('request', (request, response) => {
      const isRead = request.method === 'GET' || request.method === 'HEAD'
      const document = isRead ? this.#document(request.url ?? '') : undefined
      response.writeHead(document === undefined ? 404 : 200, {
        'content-type': 'application/json',
        'cache-control': 'public, max-age=60',
      })
      response.end(JSON.stringify(document ?? { error: 'not_found' }))
    })
  }

  /** Signs a token with the current key. `issuer` defaults to this issuer; the rest as in `createToken`. */
  mint(options: CreateTokenOptions = {}): Promise<string> {
    return this.#current.createToken({ issuer: this.issuer, ...options }, this.#clock)
  }

  /**
   * From now on another key signs. The old one stays published, so that its tokens go on working, until
   * {@link retire} or the next rotation.
   * @param next Default: a fresh RSA key pair
   */
  async rotate(next?: KeyPair): Promise<void> {
    const fresh = next ?? (await RSAKeyPair.generate())
    this.#previous = this.#current
    this.#current = fresh
  }

  /** Stops publishing the key that signed before the last rotation: its tokens end when verifiers fetch the keys again. */
  retire(): void {
    this.#previous = undefined
  }

  /** The keys as they are published now. */
  jwks(): IssuerJwkSet {
    return { keys: [...this.#current.jwks().keys, ...(this.#previous?.jwks().keys ?? [])] }
  }

  /** Stops listening and drops open connections. A second call does nothing. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #document(target: string): object | undefined {
    switch (target.split('?')[0]) {
      case '/.well-known/jwks.json':
        return this.jwks()
      case '/.well-known/openid-configuration':
      case '/.well-known/oauth-authorization-server':
        return {
          issuer: this.issuer,
          jwks_uri: this.jwksUri,
          response_types_supported: [],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [...new Set(this.jwks().keys.map(({ alg }) => alg))],
        }
      default:
        return undefined
    }
  }
}
