import { secureUrl } from '../core/options.ts'
import type { Environment, GuardedFetch } from './environment.ts'
import { fetchJson, StatusError } from './fetch-json.ts'
import { complaintOf, type UrlTrust } from './guarded-fetch.ts'
import { isObject, own } from './json.ts'

/** Where something is to be fetched, and with what. */
export interface Place {
  readonly url: URL
  readonly fetch: GuardedFetch
}

/** Where a key set is. */
export interface KeyPlace {
  /** For the log. */
  readonly name: string
  /** @throws Error when it cannot be found out */
  locate(signal: AbortSignal): Promise<Place>
  /** Fetching from there failed: it may have moved. */
  forget(): void
}

/**
 * Reads the URL of an endpoint the operator wrote down.
 * @throws TypeError naming the option, when the URL must not be reached
 */
export function statedPlace(option: string, value: unknown, environment: Environment): Place {
  const url = secureUrl(option, value)
  const trust = ownTrust(environment)
  const complaint = complaintOf(url, trust)
  if (complaint !== undefined) throw new TypeError(`${option}: ${complaint}`)
  return { url, fetch: environment.fetchWithin(trust) }
}

/** A key set whose URL the operator wrote down. */
export function statedKeys(jwksUri: unknown, environment: Environment): KeyPlace {
  const place = statedPlace('jwksUri', jwksUri, environment)
  return { name: nameOf(place.url), locate: async () => place, forget() {} }
}

/**
 * A key set whose URL stands in the metadata of the issuer (RFC 8414 section 3, OpenID Connect Discovery section 4).
 * The metadata must name the very issuer it was asked about (RFC 8414 section 3.3), and a key set somewhere else than
 * at the issuer's own origin is trusted no further than any URL from outside.
 *
 * @throws TypeError when there is not exactly one issuer, or it is no URL that may be reached
 */
export function discoveredKeys(issuers: readonly string[] | undefined, environment: Environment): KeyPlace {
  const [issuer] = issuers ?? []
  if (issuer === undefined || issuers?.length !== 1) {
    throw new TypeError("jwksUri: 'discover' needs exactly one issuer; for several use anyOf")
  }
  const home = statedPlace('issuer', issuer, environment)
  let found: Promise<Place> | undefined
  return {
    name: nameOf(home.url),
    locate(signal) {
      found ??= discover(issuer, home, environment, signal).catch((error: unknown) => {
        found = undefined
        throw error
      })
      return found
    },
    forget() {
      found = undefined
    },
  }
}

async function discover(
  issuer: string,
  home: Place,
  environment: Environment,
  signal: AbortSignal,
): Promise<Place> {
  const metadata = await fetchMetadata(home, signal)
  if (own(metadata, 'issuer') !== issuer) {
    throw new Error('the metadata names another issuer than the one that is configured')
  }
  const text = own(metadata, 'jwks_uri')
  if (typeof text !== 'string' || !URL.canParse(text)) throw new Error('the metadata names no jwks_uri')
  const url = new URL(text)
  const trust = url.origin === home.url.origin ? ownTrust(environment) : foreignTrust
  const complaint = complaintOf(url, trust)
  if (complaint !== undefined) throw new Error(`the jwks_uri of the metadata cannot be used: ${complaint}`)
  return { url, fetch: environment.fetchWithin(trust) }
}

/** The first document there is. One that is there and is no JSON object is the page of a web application: it counts as absent. */
async function fetchMetadata({ url, fetch }: Place, signal: AbortSignal) {
  let last: unknown
  for (const place of metadataPlaces(url)) {
    try {
      const { json } = await fetchJson(place, fetch, { signal })
      if (isObject(json)) return json
      last = new Error('the metadata is no JSON object')
    } catch (error) {
      if (error instanceof StatusError && error.status >= 500) throw error
      last = error
    }
  }
  throw new Error('the issuer publishes no metadata', { cause: last })
}

/** In the order of the MCP authorization specification, "Authorization Server Metadata Discovery". */
function metadataPlaces(issuer: URL): readonly URL[] {
  const path = issuer.pathname.replace(/\/$/, '')
  const paths = [
    `/.well-known/oauth-authorization-server${path}`,
    `/.well-known/openid-configuration${path}`,
    `${path}/.well-known/openid-configuration`,
  ]
  return [...new Set(paths)].map((at) => new URL(at, issuer.origin))
}

/** Of URLs the operator wrote: this machine may be meant. */
function ownTrust({ allowPrivateNetwork }: Environment): UrlTrust {
  return { loopback: true, privateNetwork: allowPrivateNetwork }
}

/** Of URLs somebody else wrote. */
const foreignTrust: UrlTrust = { loopback: false, privateNetwork: false }

function nameOf(url: URL): string {
  return `${url.origin}${url.pathname}`
}
