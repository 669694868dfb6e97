import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import type { TokenSource } from '../../client/index.ts'
import type { Logger } from '../../core/index.ts'
import { commandUpstream } from '../../gateway/command/command-upstream.ts'
import { childEnvironment } from '../../gateway/command/environment.ts'
import type { GatewayGauge } from '../../gateway/front/counts.ts'
import { httpUpstream } from '../../gateway/http/http-upstream.ts'
import type { Upstream } from '../../gateway/upstream.ts'
import { UsageError } from '../command.ts'
import { credential, wordsOf } from '../credential.ts'
import { printableLine } from '../printable.ts'
import { usage } from './flags.ts'
import { commandName, urlName } from './server-name.ts'
import type { Reader, Settings } from './settings.ts'

/** The server behind the gateway. */
export interface Behind {
  readonly upstream: Upstream
  readonly kind: 'url' | 'command'
  /** What people are shown; there is no secret in it. */
  readonly name: string
  /** Whom a signed identity is for, unless somebody says it: the URL without its query. */
  readonly audience: string
  /** For metrics. */
  readonly gauges: Readonly<Record<string, GatewayGauge>>
}

/**
 * Makes the upstream that was named. Nothing is sent and nothing is started yet.
 * @param writtenUrl its URL as it was given, with variables that are not filled in
 * @throws UsageError; TypeError naming the option
 */
export async function upstreamOf(
  settings: Settings,
  writtenUrl: string | undefined,
  reader: Reader,
  logger: Logger,
): Promise<Behind> {
  const { url, command } = settings
  if (url !== undefined && command !== undefined) {
    throw new UsageError('url and command are two servers; give one')
  }
  if (url !== undefined) {
    const upstream = await atUrl(readUrl(url), settings, reader, logger)
    return { ...upstream, name: urlName(new URL(url), writtenUrl ?? url) }
  }
  if (command !== undefined) return ofCommand(command, settings, logger)
  throw new UsageError(`which server? Give its URL, or its command after --\n\n${usage}`)
}

async function atUrl(
  url: URL,
  settings: Settings,
  reader: Reader,
  logger: Logger,
): Promise<Omit<Behind, 'name'>> {
  const strays = (['processes', 'env', 'cwd'] as const).filter((name) => settings[name] !== undefined)
  if (strays.length > 0) throw new UsageError(`${strays.join(', ')} is for a command, and this is a URL`)
  if (settings.identity?.mode === 'env') {
    throw new UsageError('--identity env is for a command; a server at a URL is told with --identity jwt')
  }
  const { auth, headers, exchange, allowInsecure, timeoutSeconds } = settings.upstream ?? {}
  if (auth !== undefined && exchange) {
    throw new UsageError('upstream.auth and upstream.exchange are two tokens for one server; give one')
  }
  const source = auth === undefined ? undefined : await upstreamToken(auth, reader)
  const upstream = httpUpstream({
    url,
    logger,
    ...(source && { auth: source }),
    ...(headers && { headers }),
    ...(exchange && { exchange: exchangeOf(exchange) }),
    ...(allowInsecure !== undefined && { allowInsecure }),
    ...(timeoutSeconds !== undefined && { timeoutMs: timeoutSeconds * 1000 }),
  })
  return { upstream, kind: 'url', audience: `${url.origin}${url.pathname}`, gauges: {} }
}

/** A credential in a URL stands in lists of processes, histories and logs. */
function readUrl(text: string): URL {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new UsageError('the URL must begin with http:// or https://')
  }
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      'the URL must hold no user name or password; give --upstream-auth env:NAME, or --upstream-header',
    )
  }
  if (url.hash !== '') throw new UsageError('the URL must hold no fragment (#…)')
  return url
}

async function upstreamToken(auth: string, { terminal, signal }: Reader): Promise<TokenSource> {
  if (!/^(?:env|file|command):/.test(auth)) {
    throw new UsageError(
      '--upstream-auth must be env:NAME, file:PATH or command:PROGRAM; a token itself has no place here',
    )
  }
  return credential(auth, terminal, signal)
}

function exchangeOf(exchange: NonNullable<NonNullable<Settings['upstream']>['exchange']>) {
  const { clientId, clientSecret, ...rest } = exchange
  if (clientId === undefined) {
    if (clientSecret !== undefined) throw new UsageError('upstream.exchange.clientSecret needs clientId')
    return rest
  }
  return { ...rest, client: { id: clientId, ...(clientSecret !== undefined && { secret: clientSecret }) } }
}

async function ofCommand(
  given: string | readonly string[],
  settings: Settings,
  logger: Logger,
): Promise<Behind> {
  const [command, ...args] = typeof given === 'string' ? wordsOf(given) : given
  if (command === undefined || command.trim() === '')
    throw new UsageError('the name of the command is missing')
  const { upstream: _none, identity, cwd, env: allow = [] } = settings
  if (settings.upstream !== undefined) {
    throw new UsageError(
      '--upstream-auth, --upstream-header and upstream are for a URL; a command gets --env',
    )
  }
  if (identity?.mode === 'jwt') {
    throw new UsageError('--identity jwt is for a server at a URL; a command is told with --identity env')
  }
  checkAllowed(allow)
  const env = childEnvironment(process.env, allow)
  if (cwd !== undefined && !(await isFolder(cwd))) throw new UsageError('--cwd is not a folder')
  await expectProgram(command, env, cwd ?? '.')
  const { per, max, maxPerPrincipal, idleSeconds, startSeconds, clientRoots } = settings.processes ?? {}
  const upstream = commandUpstream({
    command,
    args,
    env,
    logger,
    identity: identity?.mode === 'env',
    ...(cwd !== undefined && { cwd }),
    ...(per && { per }),
    processes: {
      ...(max !== undefined && { max }),
      ...(maxPerPrincipal !== undefined && { maxPerPrincipal }),
      ...(idleSeconds !== undefined && { idleMs: idleSeconds * 1000 }),
      ...(startSeconds !== undefined && { startTimeoutMs: startSeconds * 1000 }),
      ...(clientRoots !== undefined && { clientRoots }),
    },
  })
  const gauges = {
    mcp_gateway_processes: { help: 'Processes of the server that run.', value: () => upstream.processes },
    mcp_gateway_sessions: { help: 'Sessions that are open.', value: () => upstream.sessions },
  }
  return { upstream, kind: 'command', name: commandName([command, ...args]), audience: '', gauges }
}

/** A variable that is asked for by name and is not there is a mistake; the program would say it less clearly. */
function checkAllowed(allow: readonly string[]): void {
  const missing = allow.find((entry) => /^[\w()]+$/.test(entry) && process.env[entry] === undefined)
  if (missing !== undefined) {
    throw new UsageError(`--env ${printableLine(missing, 128)}: this environment variable is not set`)
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** Says at the start what the first caller would find out. Windows finds programs by rules of its own. */
async function expectProgram(
  command: string,
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<void> {
  if (process.platform === 'win32') return
  const places = command.includes('/')
    ? [resolve(cwd, command)]
    : (env.PATH ?? '').split(delimiter).map((folder) => join(resolve(cwd, folder || '.'), command))
  for (const place of places) if (await isExecutable(place)) return
  throw new UsageError(
    `the command ${printableLine(command, 100)} ${command.includes('/') ? 'is no program that can be run' : 'is not in any folder of PATH'}`,
  )
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    async () => (await stat(path)).isFile(),
    () => false,
  )
}
