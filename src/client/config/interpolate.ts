/**
 * A string of a configuration: `${VAR}`, `${VAR:-default}` and `${env:VAR}` in it are filled in, `{ env: 'VAR' }` is one
 * as a whole.
 */
export type ConfigText = string | { readonly env: string }

/** Looks up a variable. */
export type Environment = (name: string) => string | undefined

/** The environment of this process, as it is at the moment of asking. None in a browser. */
export const processEnvironment: Environment = (name) => {
  const all: Record<string, unknown> = globalThis.process?.env ?? {}
  // A name like `constructor` finds what every object inherits, which is no string.
  const value = all[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * Fills variables into a text of a configuration. Strict: a variable that is missing or blank is an error, never an
 * empty string and never a placeholder on the wire. What a variable holds is not searched for placeholders.
 *
 * @param place where the text stands, for messages: `mcpServers.api.headers.X-API-Key`
 * @param environment default: the environment of this process
 * @throws TypeError naming the variable and the place; never shows a value
 */
export function interpolate(
  text: unknown,
  place: string,
  environment: Environment = processEnvironment,
): string {
  if (isReference(text)) {
    // Somebody put the token where its name belongs: it is not repeated.
    if (!isVariableName(text.env))
      throw new TypeError(`${place}: env must be the name of an environment variable`)
    return variable(text.env, place, environment)
  }
  if (typeof text !== 'string') {
    const found = text === undefined || text === null ? `${text}: a variable that is not set?` : typeof text
    throw new TypeError(`${place} must be a string or { env: 'NAME' }, and is ${found}`)
  }
  return text.replace(placeholder, (_match, inside: string, end: string) => {
    const read = end === '' ? undefined : readPlaceholder(inside)
    if (read === undefined) throw new TypeError(`${place} ${complaint(inside)}`)
    return read.fallback !== undefined && isBlank(environment(read.name))
      ? read.fallback
      : variable(read.name, place, environment)
  })
}

/** Whether the value is `{ env: 'NAME' }` and nothing else. */
export function isReference(value: unknown): value is { readonly env: string } {
  if (typeof value !== 'object' || value === null) return false
  const names = Object.keys(value)
  return names.length === 1 && names[0] === 'env' && typeof (value as { env: unknown }).env === 'string'
}

/** Whether a text can be the name of a variable; Windows has `ProgramFiles(x86)`. */
export function isVariableName(text: string): boolean {
  return /^\w[\w()]*$/.test(text)
}

/**
 * The variable a text gets its value from, when there is nothing else in it, a `Bearer ` in front left aside: what
 * messages call the credential. `undefined` when the default is used.
 */
export function variableOf(text: unknown, environment: Environment = processEnvironment): string | undefined {
  if (isReference(text)) return text.env
  const [, inside] =
    typeof text === 'string' ? (/^(?:bearer\s+)?\$\{([^}]*)\}$/i.exec(text.trim()) ?? []) : []
  const name = inside === undefined ? undefined : readPlaceholder(inside)?.name
  return name === undefined || isBlank(environment(name)) ? undefined : name
}

/** A placeholder, its end left out when the text has none. */
export const placeholder = /\$\{([^}]*)(\}?)/g

/** What stands between `${` and `}`; `undefined` when it makes no sense here. */
export function readPlaceholder(inside: string): { name: string; fallback: string | undefined } | undefined {
  const [, name, fallback] = /^(?:env:)?(\w+)(?::-(.*))?$/s.exec(inside) ?? []
  return name === undefined ? undefined : { name, fallback }
}

/** A default may be a secret, so that what is inside is shown only when it is the name of an input. */
function complaint(inside: string): string {
  const [, input] = /^input:([\w.-]{1,64})$/.exec(inside) ?? []
  return input === undefined
    ? 'holds a placeholder that cannot be read; write ${NAME} or ${NAME:-default}'
    : `asks for the input ${input}, and nobody is asked here; write \${NAME} and set the environment variable NAME`
}

function variable(name: string, place: string, environment: Environment): string {
  const value = environment(name)
  if (isBlank(value)) {
    throw new TypeError(`${place} needs the environment variable ${name}, which is not set or empty`)
  }
  return value
}

function isBlank(value: string | undefined): value is undefined | '' {
  return value === undefined || value.trim() === ''
}
