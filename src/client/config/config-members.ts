import type { Logger } from '../../core/index.ts'

/** Members that are looked for when another one was written. */
export type Suggested = 'auth' | 'headers' | 'url' | 'env' | 'command' | 'disabled' | 'allowInsecure'

/** What hosts and people write instead, in lower case and without `-` and `_`. */
const spellings: Readonly<Record<Suggested, readonly string[]>> = {
  auth: [
    'auth',
    'authentication',
    'authorization',
    'authtoken',
    'accesstoken',
    'apikey',
    'bearer',
    'bearertoken',
    'bearertokenenvvar',
    'credential',
    'credentials',
    'key',
    'oauth',
    'password',
    'secret',
    'token',
  ],
  headers: ['header', 'headers', 'httpheaders', 'envhttpheaders', 'requestheaders', 'customheaders'],
  url: ['url', 'httpurl', 'serverurl', 'baseurl', 'uri', 'endpoint'],
  env: ['env', 'environment', 'envs', 'envvars', 'envfile'],
  command: ['command', 'cmd', 'args', 'arguments'],
  disabled: ['disabled', 'disable', 'enabled', 'isactive', 'active'],
  allowInsecure: ['allowinsecure', 'insecure', 'allowhttp'],
}

/** The member that was probably meant. */
export function suggestion(name: string): Suggested | undefined {
  const plain = name.toLowerCase().replaceAll(/[-_\s]/g, '')
  return (Object.keys(spellings) as Suggested[]).find((meant) => spellings[meant].includes(plain))
}

/**
 * Tells of members that have no effect. It is no error: hosts share these files, and each has members of its own. But
 * a misspelt credential must not be one that is silently missing.
 *
 * @param place the place of the object, empty for the whole configuration
 */
export function warnOfMembers(
  place: string,
  members: Readonly<Record<string, unknown>>,
  known: readonly string[],
  log: Logger,
): void {
  for (const name of Object.keys(members)) {
    if (known.includes(name)) continue
    const where = place === '' ? name.slice(0, 64) : `${place}.${name.slice(0, 64)}`
    const meant = suggestion(name)
    const hint =
      meant !== undefined && known.includes(meant) && meant !== name ? `; did you mean ${meant}?` : ''
    log({
      level: 'warn',
      event: 'config_member_unknown',
      message: `${where} is not known here and has no effect${hint}`,
      details: { member: where },
    })
  }
}
