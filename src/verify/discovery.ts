import { stopwatch } from '../core/clock.ts'
import { secureUrl } from '../core/options.ts'
import type { Environment, GuardedFetch } from './environment.ts'
import { fetchJson, type JsonRequest } from './fetch-json.ts'
import { complaintOf, type UrlTrust } from './guarded-fetch.ts'
import { isObject, type JsonObject, own } from './json.ts'
import { shown } from './report.ts'

/** Where something is to be fetched, and with what. */
export interface Place {
  readonly url: URL
  readonly fetch: GuardedFetch
}

/** What is needed to reach a place. */
export type Reach = Pick<Environment, 'allowPrivateNetwork' | 'fetchWithin'>

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
export function statedPlace(option: string, value: unknown, environment: Reach): Place {
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
  // RFC 8414 section 2. Left out in silence, the metadata of another issuer would be asked for.
  if (/[?#]/.test(issuer)) throw new TypeError("issuer must have no query and no fragment with 'discover'")
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
  const metadata = await issuerMetadata(issuer, home, { signal })
  return namedPlace('jwks_uri', metadata, home, environment)
}

/** The metadata of an issuer. It names the very issuer it was asked about (RFC 8414 section 3.3). */
export async function issuerMetadata(
  issuer: string,
  home: Place,
  limits: MetadataLimits,
): Promise<JsonObject> {
  const metadata = await fetchMetadata(home, limits)
  const named = own(metadata, 'issuer')
  if (named === issuer) return metadata
  const other = typeof named === 'string' ? shown(named) : 'nobody'
  throw new Error(`the metadata names ${other} as issuer, and the one that is configured is ${issuer}`)
}

/** The option that says the same as a member of the metadata. */
const optionOf = { jwks_uri: 'jwksUri', token_endpoint: 'tokenEndpoint' } as const

/**
 * A place that is named in the metadata of an issuer. Elsewhere than at the issuer's own origin it is trusted no
 * further than any URL from outside.
 *
 * @param elsewhere how far that is. Default: not at all
 */
export function namedPlace(
  member: keyof typeof optionOf,
  metadata: JsonObject,
  home: Place,
  environment: Reach,
  elsewhere: UrlTrust = foreignTrust,
): Place {
  const text = own(metadata, member)
  if (typeof text !== 'string' || !URL.canParse(text)) throw new Error(`the metadata names no ${member}`)
  const url = new URL(text)
  const trust = url.origin === home.url.origin ? ownTrust(environment) : elsewhere
  const complaint = complaintOf(url, trust)
  if (complaint !== undefined) {
    throw new Error(
      `the ${member} of the metadata is not used: ${complaint}. If it is right, write it as ${optionOf[member]}`,
    )
  }
  return { url, fetch: environment.fetchWithin(trust) }
}

/** For how long metadata is asked for. */
export interface MetadataLimits {
  readonly signal?: AbortSignal
  /** Milliseconds for all places together. Default: 5000. */
  readonly milliseconds?: number
}

/**
 * The first document there is. An issuer that cannot be reached, or says that it cannot answer now, has no document
 * elsewhere either: asking for that would only make everybody wait longer.
 */
async function fetchMetadata(
  { url, fetch }: Place,
  { signal, milliseconds: patience = 5000 }: MetadataLimits,
): Promise<JsonObject> {
  const started = stopwatch()
  let absence = ''
  for (const place of metadataPlaces(url)) {
    const milliseconds = Math.ceil(started + patience - stopwatch())
    if (milliseconds <= 0) throw new Error(absence)
    const found = await metadataAt(place, fetch, { ...(signal && { signal }), milliseconds })
    if (typeof found !== 'string') return found
    absence = found
  }
  throw new Error(`the issuer publishes no metadata: ${absence}`)
}

/**
 * The document at a place, or why there is none. What is there and no JSON object is the page of a web application.
 * @throws Error when that cannot be told now: nobody answers, or with 429 or 5xx
 */
export async function metadataAt(
  place: URL,
  fetch: GuardedFetch,
  request: JsonRequest,
): Promise<JsonObject | string> {
  let isAnswered = false
  const noting: GuardedFetch = async (url, init) => {
    const response = await fetch(url, init)
    // RFC 6585 section 4: too many requests are no absence.
    isAnswered = response.status < 500 && response.status !== 429
    return response
  }
  try {
    const { json } = await fetchJson(place, noting, request)
    return isObject(json) ? json : 'the answer is no JSON object'
  } catch (error) {
    if (!isAnswered || !(error instanceof Error)) throw error
    return error.message
  }
}

/** In the order of the MCP authorization specification, "Authorization Server Metadata Discovery". */
function metadataPlaces(issuer: URL): readonly URL[] {
  const path = issuer.pathname.replace(/\/$/, '')
  const paths = [
    `/.well-known/oauth-authorization-server${path}`,
    `/.well-known/openid-configuration${path}`,
    `${path}/.well-known/openid-configuration`,
  ]
  // Put together as text: a path that begins with two slashes, resolved, would be another host.
  return [...new Set(paths)].map((at) => new URL(issuer.origin + at))
}

/** Of URLs the operator wrote: this machine may be meant. */
function ownTrust({ allowPrivateNetwork }: Pick<Reach, 'allowPrivateNetwork'>): UrlTrust {
  return { loopback: true, privateNetwork: allowPrivateNetwork }
}

/** Of URLs somebody else wrote. */
const foreignTrust: UrlTrust = { loopback: false, privateNetwork: false }

function nameOf(url: URL): string {
  return `${url.origin}${url.pathname}`
}
