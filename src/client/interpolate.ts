/** A string of a configuration: `${VAR}` and `${VAR:-default}` in it are filled in, `{ env: 'VAR' }` is one as a whole. */
export type ConfigText = string | { readonly env: string }

/** Where variables come from. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Fills environment variables into a text of a configuration. Strict: a variable that is missing or blank is an error,
 * never an empty string and never a placeholder on the wire. What a variable holds is not searched for placeholders.
 *
 * @param place where the text stands, for messages: `mcpServers.api.headers.X-API-Key`
 * @param environment default: the environment of this process
 * @throws TypeError naming the variable and the place; never shows a value
 */
export function interpolate(text: unknown, place: string, environment: Environment = process.env): string {
  if (isReference(text)) return variable(text.env, place, environment)
  if (typeof text !== 'string') {
    const found = text === undefined || text === null ? `${text}: a variable that is not set?` : typeof text
    throw new TypeError(`${place} must be a string or { env: 'NAME' }, and is ${found}`)
  }
  return text.replace(/\$\{([^}]*)(\}?)/g, (_match, inside: string, end: string) => {
    const [, name, fallback] = /^(\w+)(?::-(.*))?$/s.exec(inside) ?? []
    if (name === undefined || end === '') {
      throw new TypeError(
        `${place} holds a placeholder that cannot be read; write \${NAME} or \${NAME:-default}`,
      )
    }
    return fallback !== undefined && isBlank(environment, name)
      ? fallback
      : variable(name, place, environment)
  })
}

/** Whether the value is `{ env: 'NAME' }` and nothing else. */
export function isReference(value: unknown): value is { readonly env: string } {
  if (typeof value !== 'object' || value === null) return false
  const names = Object.keys(value)
  return names.length === 1 && names[0] === 'env' && typeof (value as { env: unknown }).env === 'string'
}

function variable(name: string, place: string, environment: Environment): string {
  if (isBlank(environment, name)) {
    throw new TypeError(`${place} needs the environment variable ${name}, which is not set or empty`)
  }
  return environment[name]!
}

/** A name like `constructor` finds what every object inherits, which is no string. */
function isBlank(environment: Environment, name: string): boolean {
  const value: unknown = environment[name]
  return typeof value !== 'string' || value.trim() === ''
}
