import { isLoopbackHost } from '../../core/options.ts'

/** The endpoint of a probe, taken apart. */
export interface Endpoint {
  /** Without user information, query and fragment. */
  readonly url: string
  readonly origin: string
  /** `host:port`, as in `Host`. */
  readonly host: string
  readonly path: string
  /** Path and query, as on the request line. */
  readonly target: string
  readonly isTls: boolean
  /** Whether it is on this machine. */
  readonly isLoopback: boolean
  /** The values in its query: they may be secrets. */
  readonly queryValues: readonly string[]
}

/** @throws TypeError when it is no http or https URL, or holds a user name or password */
export function probedEndpoint(text: string): Endpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new TypeError('the URL to probe must be an absolute http or https URL')
  if (url.username !== '' || url.password !== '')
    throw new TypeError('the URL to probe must not hold a user name or password')
  return Object.freeze({
    url: `${url.origin}${url.pathname}`,
    origin: url.origin,
    host: url.host,
    path: url.pathname,
    target: `${url.pathname}${url.search}`,
    isTls: url.protocol === 'https:',
    isLoopback: isLoopbackHost(url.hostname),
    // Shorter ones stand in innocent texts as well.
    queryValues: [...url.searchParams.values()].filter((value) => value.length >= 6),
  })
}
