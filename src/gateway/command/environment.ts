import { isWindows } from './child-windows.ts'

/**
 * What hardly a program does without: where programs and its own files are, who runs it, how it writes text and time.
 * Nothing that holds a credential.
 */
const usual: ReadonlySet<string> = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'LANG', 'LANGUAGE', 'TZ'],
])
const usualOnWindows: ReadonlySet<string> = new Set([
  ...['PATH', 'PATHEXT', 'COMSPEC', 'SYSTEMDRIVE', 'SYSTEMROOT', 'WINDIR', 'TEMP', 'TMP'],
  ...['USERNAME', 'USERPROFILE', 'HOMEDRIVE', 'HOMEPATH', 'APPDATA', 'LOCALAPPDATA', 'PROGRAMDATA'],
  ...['PROGRAMFILES', 'PROGRAMFILES(X86)', 'NUMBER_OF_PROCESSORS', 'PROCESSOR_ARCHITECTURE', 'TZ'],
])

/** What the gateway itself is set up with. */
const own = 'MCP_BEARER_'

/**
 * The environment of a program that is run for others: a handful of variables it cannot do without (`PATH`, `HOME`,
 * `LANG`, `LC_*`, `TMPDIR`, …), and those that are allowed. A gateway holds credentials in its own environment; a
 * program that somebody else wrote gets none it was not given.
 *
 * @param all the environment to choose from
 * @param allow `NAME` for the variable of that name if there is one, `NAME=value` for one with this value, `PREFIX_*` for
 *   all whose names begin so, but for those of this package (`MCP_BEARER_…`), which have to be named
 * @returns a new object without a prototype
 * @throws TypeError when an entry is none of these; a value is never shown
 *
 * @example
 * ```ts
 * import { childEnvironment } from 'mcp-bearer/gateway'
 *
 * const env = childEnvironment(process.env, ['GITHUB_TOKEN', 'LOG_LEVEL=info', 'MYAPP_*'])
 * ```
 */
export function childEnvironment(
  all: Readonly<Record<string, string | undefined>>,
  allow: readonly string[],
): Record<string, string> {
  if (!Array.isArray(allow)) throw new TypeError('childEnvironment: allow must be a list of names')
  const isTaken = allowedNames(allow)
  const chosen: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(all)) {
    // A function of a shell is code that a shell would run (CVE-2014-6271).
    if (value === undefined || value.startsWith('()')) continue
    if (isUsual(name) || isTaken(name)) chosen[name] = value
  }
  for (const [, name, value] of allow.flatMap((entry) => [assignment.exec(entry) ?? []])) {
    if (name !== undefined && value !== undefined) chosen[name] = value
  }
  return chosen
}

/** What looks like a secret by its name, among variables. For {@link redact}. */
export function secretsIn(env: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    telling.test(name) && value.length >= shortestSecret ? [value] : [],
  )
}

const telling = /token|secret|key|passw|pwd|credential|auth|cookie|_dsn$|^dsn$|database_url/i
/** What is shorter stands in any text. */
const shortestSecret = 6

const nameOrPrefix = /^[A-Za-z_][\w.()-]*\*?$/
const assignment = /^([A-Za-z_][\w.()-]*)=([^\0]*)$/

function allowedNames(allow: readonly string[]): (name: string) => boolean {
  const names = new Set<string>()
  const prefixes: string[] = []
  for (const [at, entry] of allow.entries()) {
    if (typeof entry === 'string' && assignment.test(entry)) continue
    if (typeof entry !== 'string' || !nameOrPrefix.test(entry)) {
      throw new TypeError(
        `childEnvironment: allow[${at}] must be a name, NAME=value, or the beginning of names such as MYAPP_*`,
      )
    }
    if (entry.endsWith('*')) prefixes.push(spelling(entry.slice(0, -1)))
    else names.add(spelling(entry))
  }
  return (name) => {
    const spelled = spelling(name)
    if (names.has(spelled)) return true
    return !spelled.startsWith(own) && prefixes.some((prefix) => spelled.startsWith(prefix))
  }
}

function isUsual(name: string): boolean {
  return isWindows() ? usualOnWindows.has(spelling(name)) : usual.has(name) || name.startsWith('LC_')
}

/** On Windows, `Path` is `PATH`. */
function spelling(name: string): string {
  return isWindows() ? name.toUpperCase() : name
}
