import { readToken } from '../bearer-auth.ts'

/** The `headers` option: names and values. `undefined` is allowed by the type so that it can be reported. */
export type HeaderValues = Readonly<Record<string, string | undefined>>

/** RFC 9110 section 5.6.2. */
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 section 5.5, as far as a header of Fetch can carry it. */
const fieldValue = /^[\t\x20-\x7E\x80-\xFF]+$/

/** Headers that belong to HTTP or to the MCP transport: a value of the caller's would be wrong or overwritten. */
const reserved = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'host',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'transfer-encoding',
])

/**
 * Checks and copies the `headers` option.
 *
 * @param owner whose option it is, for messages
 * @param withAuth whether there is an `auth` option as well, which `Authorization` must not compete with
 * @param withProof whether its tokens go out with a proof, which `DPoP` must not compete with. Default: false
 * @returns name and value of each header
 * @throws TypeError naming the header; the value is never shown
 */
export function customHeaders(
  owner: string,
  headers: unknown,
  withAuth: boolean,
  withProof = false,
): readonly (readonly [name: string, value: string])[] {
  if (headers === undefined) return []
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw new TypeError(`${owner}: headers must be an object of names and values`)
  }
  const seen = new Set<string>()
  return Object.entries(headers).map(([name, value]) => {
    const lower = name.toLowerCase()
    if (!fieldName.test(name)) throw new TypeError(`${owner}: headers holds a name that no header can have`)
    if (seen.has(lower)) throw new TypeError(`${owner}: headers holds ${name} twice`)
    if (reserved.has(lower)) throw new TypeError(`${owner}: the header ${name} is set by the transport`)
    if (lower === 'authorization' && withAuth) {
      throw new TypeError(
        `${owner}: give either auth or the header ${name}, not both (RFC 6750 section 2: one credential)`,
      )
    }
    if (lower === 'dpop' && withProof) {
      throw new TypeError(
        `${owner}: the header ${name} is made for each request by auth, whose tokens are bound to a key (RFC 9449)`,
      )
    }
    seen.add(lower)
    return [name, headerValue(`${owner}: the header ${name}`, lower, value)] as const
  })
}

function headerValue(what: string, name: string, value: unknown): string {
  if (value === undefined || value === null)
    throw new TypeError(`${what} is ${value}: a variable that is not set?`)
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`)
  const text = value.trim()
  if (text === '') throw new TypeError(`${what} is empty`)
  if (/\$\{/.test(text)) throw new TypeError(`${what} holds a placeholder that was not filled in`)
  if (!fieldValue.test(text))
    throw new TypeError(`${what} holds a line break or another character no header can have`)
  if (name !== 'authorization' || !/^bearer(?:[ \t]|$)/i.test(text)) return text
  const read = readToken(text)
  if (read.fault !== undefined) throw new TypeError(`${what} holds a token that ${read.fault}`)
  return `Bearer ${read.token}`
}
