import { type Clock, systemClock } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import type { DpopProver } from './token-source.ts'

/** Options of {@link dpopKey}. */
export interface DpopKeyOptions {
  /** For the time of each proof. Default: the clock of this machine. */
  readonly clock?: Clock | undefined
}

/** A key that tokens are bound to, and the proofs that it is here. */
export interface DpopKey extends DpopProver {
  /** The thumbprint of the public key: `cnf.jkt` of a bound token, `dpop_jkt` of an authorization request (RFC 7638, RFC 9449 section 10). */
  thumbprint(): Promise<string>
}

/** More origins than a token has. */
const mostOrigins = 64
/** Characters. */
const longestNonce = 1024
/** RFC 9449 section 8.1: `nonce = 1*NQCHAR`. */
const nonceGrammar = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/**
 * Makes a {@link DpopKey}: proof of possession for access tokens (RFC 9449). A stolen token is no use without the key,
 * and the key cannot be taken out of this process. P-256, signing with ES256; made by Web Crypto when it is first needed,
 * never written anywhere. Each proof names the method, the URL without query, the token, and the last nonce the
 * origin has asked for.
 *
 * Make one for each token source: two servers that see one key know that they see one client. Experimental, as long
 * as the extension of MCP authorization that describes it is a draft.
 *
 * @throws TypeError when an option is wrong, or where there is no Web Crypto: on a web page without https
 *
 * @example
 * ```ts
 * import { Client, dpopKey, type TokenSource } from 'mcp-bearer/client'
 *
 * const dpop = dpopKey()
 * const jkt = await dpop.thumbprint()
 * const source: TokenSource = { dpop, token: async () => tokenBoundTo(jkt) }
 * const client = new Client('https://mcp.example.com/mcp', { auth: source })
 *
 * async function tokenBoundTo(jkt: string): Promise<string> {
 *   return `from your token service, with ${jkt}`
 * }
 * ```
 */
export function dpopKey(options: DpopKeyOptions = {}): DpopKey {
  checkOptions('dpopKey', options, ['clock'])
  const { clock = systemClock } = options
  if (typeof clock !== 'function') throw new TypeError('dpopKey: clock must be a function')
  if (globalThis.crypto?.subtle === undefined) {
    throw new TypeError('dpopKey needs Web Crypto; a web page has it with https only')
  }
  const nonces = new Map<string, string>()
  let made: BoundKey | undefined
  // Without a shared promise: on workerd one request cannot wait for what another has begun. The first one counts.
  const key = async (): Promise<BoundKey> => {
    const fresh = made ?? (await makeKey())
    made ??= fresh
    return made
  }

  return Object.freeze({
    async proof({ method, url, token }) {
      const { sign, jwk } = await key()
      const nonce = nonces.get(url.origin)
      const claims = {
        jti: crypto.randomUUID(),
        htm: method,
        // RFC 9449 section 4.2: without query and fragment.
        htu: url.origin + url.pathname,
        iat: Math.floor(clock() / 1000),
        ...(token !== undefined && { ath: await sha256(token) }),
        ...(nonce !== undefined && { nonce }),
      }
      return sign(`${encode({ typ: 'dpop+jwt', alg: 'ES256', jwk })}.${encode(claims)}`)
    },
    observe(url, headers) {
      const nonce = headers.get('dpop-nonce')
      if (nonce === null || nonce.length > longestNonce || !nonceGrammar.test(nonce)) return false
      const isNew = nonces.get(url.origin) !== nonce
      nonces.delete(url.origin)
      nonces.set(url.origin, nonce)
      if (nonces.size > mostOrigins) nonces.delete(nonces.keys().next().value!)
      return isNew
    },
    async thumbprint() {
      const { crv, kty, x, y } = (await key()).jwk
      // RFC 7638 section 3: these members, in this order, without a blank.
      return sha256(JSON.stringify({ crv, kty, x, y }))
    },
  } satisfies DpopKey)
}

/** What is public of the key (RFC 7518 section 6.2.1). */
interface PublicEcKey {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string | undefined
  readonly y: string | undefined
}

/** The private half is in the closure of `sign`, and nowhere else. */
interface BoundKey {
  readonly jwk: PublicEcKey
  /** The JWS of a signing input (RFC 7515 section 7.1). */
  sign(input: string): Promise<string>
}

async function makeKey(): Promise<BoundKey> {
  const { subtle } = globalThis.crypto
  const usages = ['sign', 'verify'] as const
  const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, usages)
  const { x, y } = await subtle.exportKey('jwk', pair.publicKey)
  return {
    jwk: Object.freeze({ kty: 'EC', crv: 'P-256', x, y }),
    async sign(input) {
      const how = { name: 'ECDSA', hash: 'SHA-256' }
      const signature = await subtle.sign(how, pair.privateKey, new TextEncoder().encode(input))
      return `${input}.${base64url(new Uint8Array(signature))}`
    },
  }
}

async function sha256(text: string): Promise<string> {
  const hash = await globalThis.crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return base64url(new Uint8Array(hash))
}

function encode(value: object): string {
  return base64url(new TextEncoder().encode(JSON.stringify(value)))
}

function base64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
