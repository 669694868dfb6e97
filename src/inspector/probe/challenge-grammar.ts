/** What is wrong with a `WWW-Authenticate` header that a lenient reader would forgive. */
export interface ChallengeFlaws {
  /** Does not follow the grammar of RFC 9110 section 11.6.1. */
  readonly isMalformed: boolean
  /** Parameters that occur more than once in one challenge. */
  readonly repeated: readonly string[]
}

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const value = `(?:${token}|"(?:[^"\\\\]|\\\\.)*")`
const param = new RegExp(`^(?:(${token})[ \\t]+)?(${token})[ \\t]*=[ \\t]*${value}$`)
const single = new RegExp(`^${token}(?:[ \\t]+[A-Za-z0-9\\-._~+/]+=*)?$`)

/** Reads strictly, in linear time. */
export function challengeFlaws(lines: readonly string[]): ChallengeFlaws {
  const repeated = new Set<string>()
  let isMalformed = false
  for (const line of lines) {
    const parts =
      line
        .slice(0, longestLine)
        .match(item)
        ?.map((part) => part.trim()) ?? []
    let names: Set<string> | undefined
    for (const part of parts.filter((one) => one !== '')) {
      const [, scheme, name = ''] = param.exec(part) ?? []
      if (scheme !== undefined || (name === '' && single.test(part))) names = new Set()
      // A parameter without a scheme before it belongs to nothing.
      if (names === undefined || (name === '' && !single.test(part))) isMalformed = true
      else if (name !== '' && names.has(name.toLowerCase())) repeated.add(name.toLowerCase())
      if (name !== '') names?.add(name.toLowerCase())
    }
  }
  return { isMalformed, repeated: [...repeated] }
}

const longestLine = 8192
/** Up to the next comma that stands in no quoted string. */
const item = /(?:"(?:[^"\\]|\\.)*(?:"|$)|[^",])+/g
