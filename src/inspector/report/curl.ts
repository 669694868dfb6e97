import { redacted } from '../../core/index.ts'
import type { ProbeRequest } from '../probe/exchange.ts'

/** A request that somebody may want to send again. */
export interface CurlRequest {
  readonly method: string
  /** Absolute; the path as it went over the wire. */
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string | undefined
}

/** Headers that `curl` writes itself, or that describe the connection of before. */
const own = new Set(['connection', 'content-length', 'transfer-encoding'])

/**
 * A request as a line for a POSIX shell. Where a token was taken out stands `$TOKEN`: the person sets it, and it is in no
 * line that is copied.
 */
export function curlOf({ method, url, headers, body }: CurlRequest): string {
  const verb = method === 'HEAD' ? ['--head'] : isDefault(method, body) ? [] : ['-X', shellWord(method)]
  const lines = headers
    .filter(([name]) => isName(name) && !own.has(name.toLowerCase()))
    .flatMap(([name, value]) => ['-H', headerWord(name, value)])
  const data = body === undefined ? [] : [...untyped(headers), '--data-raw', shellWord(body)]
  // Neither `..` nor `[` in an address means something to curl then.
  return ['curl', '-i', '--path-as-is', '-g', ...verb, ...lines, ...data, shellWord(url)].join(' ')
}

/**
 * A request of a probe as such a line.
 * @param url the endpoint, absolute
 */
export function curlLine({ method, target, headers, body }: ProbeRequest, url: string): string {
  const { origin } = new URL(url)
  const line = (address: string) => curlOf({ method, url: address, headers, body })
  if (target.startsWith('/')) return line(`${origin}${target}`)
  // `OPTIONS *`, and the absolute form of a proxy (RFC 9112 section 3.2).
  return `${line(`${origin}/`)} --request-target ${shellWord(target)}`
}

/** A word for a POSIX shell, in quotes where it needs them. A token that was taken out becomes `"$TOKEN"`. */
export function shellWord(word: string): string {
  if (!word.includes(redacted)) return quoted(word)
  const isPlain = !/["$`\\!\n]/.test(word) && !/\]\w/.test(word)
  if (isPlain) return `"${word.replaceAll(redacted, '$TOKEN')}"`
  return word
    .split(redacted)
    .map((part) => (part === '' ? '' : quoted(part)))
    .join('"$TOKEN"')
}

function quoted(word: string): string {
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

function isDefault(method: string, body: string | undefined): boolean {
  return method === (body === undefined ? 'GET' : 'POST')
}

/** A name that is none could begin with `@`, and curl would read a file. */
function isName(name: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name)
}

/** `Name:` would take a header away, and `Name;` sends an empty one. */
function headerWord(name: string, value: string): string {
  return shellWord(value.trim() === '' ? `${name};` : `${name}: ${value}`)
}

/** curl calls every body a form where nothing else is said. */
function untyped(headers: CurlRequest['headers']): string[] {
  return headers.some(([name]) => name.toLowerCase() === 'content-type') ? [] : ['-H', `'Content-Type:'`]
}
