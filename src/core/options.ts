/**
 * Checks an option bag when the object is made: it is an object, and holds no option that does not exist. A misspelt
 * security option must not be an option that is silently off.
 *
 * @throws TypeError naming the unknown option and the known ones
 */
export function checkOptions(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${owner}: options must be an object`)
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new TypeError(`${owner}: unknown option "${name}"; known are ${known.join(', ')}`)
  }
  // Whoever merges JSON into options may have let its `__proto__` become one.
  for (const name in options) {
    if (known.includes(name) && !Object.hasOwn(options, name))
      throw new TypeError(`${owner}: the option "${name}" is inherited; give it itself`)
  }
}

/**
 * Reads an option that takes one text or several, and copies it.
 * @returns the texts, or `undefined` when the option is absent
 * @throws TypeError when it is empty, or holds anything but non-empty strings
 */
export function oneOrMany(option: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  const list = Array.isArray(value) ? Array.from(value) : [value]
  if (list.length === 0 || !list.every((item) => typeof item === 'string' && item !== '')) {
    throw new TypeError(`${option} must be a non-empty string, or a list of them`)
  }
  return Object.freeze([...new Set(list as string[])])
}

/**
 * Reads a number within bounds.
 * @throws TypeError when it is no finite number or out of bounds
 */
export function numberBetween(option: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number' || !(value >= low && value <= high)) {
    throw new TypeError(`${option} must be a number from ${low} to ${high}`)
  }
  return value
}

/** Whether a host name, as `URL.hostname` gives it, is this machine (RFC 6761 section 6.3, RFC 1122 section 3.2.1.3). */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/\.$/, '')
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    host === '::1' ||
    /^127(?:\.\d{1,3}){3}$/.test(host)
  )
}

/**
 * Reads a URL that will carry or fetch secrets: https, or http on this machine; no user name or password in it.
 * @throws TypeError naming the option; the URL itself is not repeated, it may hold a secret
 */
export function secureUrl(option: string, value: unknown): URL {
  const text = value instanceof URL ? value.href : value
  if (typeof text !== 'string' || !URL.canParse(text))
    throw new TypeError(`${option} must be an absolute URL`)
  const url = new URL(text)
  if (url.username !== '' || url.password !== '')
    throw new TypeError(`${option} must not hold a user name or password`)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    throw new TypeError(`${option} must use https (http is taken for localhost only)`)
  }
  return url
}
