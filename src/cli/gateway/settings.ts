import { isSecretName, isSecretVariable, literalOf, looksSecret } from '../../client/config/config-secrets.ts'
import { interpolate } from '../../client/config/interpolate.ts'
import type {
  GatewayFile,
  GatewayFileAuth,
  GatewayFileIntrospection,
  GatewayFileUpstream,
} from '../../gateway/file/gateway-document.ts'
import { UsageError } from '../command.ts'
import { warnOfVisible } from '../credential.ts'
import { hasPassword } from '../keys/database.ts'
import { secretInput } from '../keys/secret-input.ts'
import { countOf, oneOf } from '../keys/words.ts'
import { printableLine } from '../printable.ts'
import { readHeaders } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import type { Flags } from './flags.ts'

/** Everything that was said of a gateway but its policy, with secrets filled in: not to be shown. */
export type Settings = Omit<GatewayFile, 'policy' | '$schema'>

/** Who is asked, and told, while settings are read. */
export interface Reader {
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/**
 * What the file and the command line say together: the command line wins, member by member; headers and variables are
 * added to those of the file.
 *
 * @throws UsageError naming what is wrong, and nothing of a secret
 */
export async function settingsOf(file: GatewayFile, flags: Flags, reader: Reader): Promise<Settings> {
  const { policy: _policy, $schema: _schema, ...given } = filled(file)
  const { values, url, command } = flags
  if (url !== undefined) checkQuery(url)
  warnOfSecrets(flags, reader)
  const target = url === undefined && command === undefined ? pick(given, ['url', 'command']) : {}
  const { url: _url, command: _command, ...rest } = given
  return {
    ...rest,
    ...target,
    ...present({
      url: url === undefined ? undefined : interpolated(url, 'the URL'),
      command,
      listen: values.listen,
      cwd: values.cwd,
      env: joined(given.env, values.env),
      metrics: values.metrics,
      log: values.log === undefined ? undefined : oneOf(values.log, '--log', ['text', 'json']),
      processes: merged(given.processes, {
        per: values.per === undefined ? undefined : oneOf(values.per, '--per', ['session', 'principal']),
        max: count(values['max-processes'], '--max-processes', 10_000),
        idleSeconds: count(values.idle, '--idle', 604_800),
      }),
      identity: identityOf(given.identity, values),
      http: merged(given.http, {
        resource: values.resource,
        allowedHosts: values['allowed-host'],
        allowedOrigins: values['allowed-origin'],
        trustProxy: count(values['trust-proxy'], '--trust-proxy', 10),
      }),
      upstream: upstreamOf(given.upstream, values, reader),
      auth: await authOf(given.auth, values, reader),
    }),
  }
}

type Values = Flags['values']

/** What stands on a command line, others on this machine see. None of it is repeated. */
function warnOfSecrets({ url, command = [], values: { keys, env = [] } }: Flags, { terminal }: Reader): void {
  if (url !== undefined && looksSecret(url, [])) {
    warnOfVisible('a secret in the URL', 'write ${NAME} for it, in single quotes', terminal)
  }
  if (keys !== undefined && hasPassword(keys)) {
    warnOfVisible('a database password', 'use --keys env:NAME', terminal)
  }
  if (command.some((word) => looksSecret(word, []))) {
    warnOfVisible('what looks like a secret', 'hand it over in the environment, with --env NAME', terminal)
  }
  for (const entry of env) {
    const [name, value] = [entry.replace(/=.*$/s, ''), entry.slice(entry.indexOf('=') + 1)]
    if (name === entry || !isSecretVariable(name, value, [])) continue
    warnOfVisible(`the variable ${printableLine(name, 128)}`, 'set it and use --env with its name', terminal)
  }
}

/** @throws UsageError when a credential is written out in a URL under the name of one */
function checkQuery(url: string): void {
  if (!URL.canParse(url)) return
  for (const [name, value] of new URL(url).searchParams) {
    if (!isSecretName(name) || literalOf(value) === '') continue
    throw new UsageError(
      `the URL holds a credential, ${printableLine(name, 64)}; others on this machine would see it: write \${NAME} for it in single quotes, or use --upstream-auth env:NAME`,
    )
  }
}

function upstreamOf(
  given: GatewayFileUpstream | undefined,
  values: Values,
  { terminal }: Reader,
): GatewayFileUpstream | undefined {
  const option = '--upstream-header'
  const headers = Object.entries(readHeaders(values['upstream-header'] ?? [], terminal, option))
  const filledIn = headers.map(([name, value]) => [name, interpolated(value, `${option} ${name}`)])
  const names = new Set(headers.map(([name]) => name.toLowerCase()))
  const others = Object.entries(given?.headers ?? {}).filter(([name]) => !names.has(name.toLowerCase()))
  return merged(given, {
    auth: values['upstream-auth'],
    allowInsecure: values['allow-insecure'],
    headers: headers.length === 0 ? undefined : Object.fromEntries([...others, ...filledIn]),
  })
}

async function authOf(
  given: GatewayFileAuth | undefined,
  values: Values,
  reader: Reader,
): Promise<GatewayFileAuth | undefined> {
  return merged(given, {
    keys: values.keys,
    jwks: values.jwks,
    issuer: values.issuer,
    audience: values.audience,
    algorithms: values.algorithm,
    publicKey: values['public-key'],
    introspect: await introspectionOf(given?.introspect, values, reader),
    requiredScopes: values['required-scope'],
    apiKeyHeader: values['api-key-header'],
  })
}

async function introspectionOf(
  given: GatewayFileIntrospection | undefined,
  { introspect, 'introspect-client': client, 'introspect-secret': secret }: Values,
  { terminal, signal }: Reader,
): Promise<GatewayFileIntrospection | undefined> {
  const endpoint = introspect ?? given?.endpoint
  if (endpoint === undefined) {
    if (client === undefined && secret === undefined) return undefined
    throw new UsageError('--introspect-client and --introspect-secret go with --introspect URL')
  }
  // The id of a client is no secret, and may stand there.
  const isElsewhere = client !== undefined && /^(?:(?:env|file):|-$)/.test(client)
  return {
    ...given,
    endpoint,
    ...present({
      clientId: isElsewhere ? await secretInput(client, 'a client id', terminal, signal) : client,
      clientSecret:
        secret === undefined ? undefined : await secretInput(secret, 'a client secret', terminal, signal),
    }),
  }
}

function identityOf(given: Settings['identity'], values: Values): Settings['identity'] {
  const mode =
    values.identity === undefined ? given?.mode : oneOf(values.identity, '--identity', ['jwt', 'env'])
  const keyFile = values['identity-key'] ?? given?.keyFile
  if (mode !== undefined) return { ...given, mode, ...present({ keyFile }) }
  if (keyFile === undefined) return undefined
  throw new UsageError('--identity-key goes with --identity jwt')
}

/** The file with its variables. A secret has no other way into it. */
function filled(file: GatewayFile): GatewayFile {
  const { url, upstream, auth } = file
  const { headers, exchange } = upstream ?? {}
  const { keys, introspect } = auth ?? {}
  const text = (value: string | undefined, place: string) =>
    value === undefined ? undefined : interpolated(value, place)
  return {
    ...file,
    ...present({
      url: text(url, 'url'),
      upstream: merged(upstream, {
        headers: headers && mapped(headers, (value, name) => interpolated(value, `upstream.headers.${name}`)),
        exchange: exchange && {
          ...exchange,
          ...present({
            clientId: text(exchange.clientId, 'upstream.exchange.clientId'),
            clientSecret: text(exchange.clientSecret, 'upstream.exchange.clientSecret'),
          }),
        },
      }),
      auth: merged(auth, {
        keys: text(keys, 'auth.keys'),
        introspect: introspect && {
          ...introspect,
          ...present({
            clientId: text(introspect.clientId, 'auth.introspect.clientId'),
            clientSecret: text(introspect.clientSecret, 'auth.introspect.clientSecret'),
          }),
        },
      }),
    }),
  }
}

function interpolated(text: string, place: string): string {
  try {
    return interpolate(text, place)
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

/** A whole number; 0 is none. */
function count(text: string | undefined, option: string, most: number): number | undefined {
  if (text === undefined) return undefined
  return text === '0' && option === '--trust-proxy' ? 0 : countOf(text, option, most)
}

function joined(one: readonly string[] | undefined, other: readonly string[] | undefined) {
  return one === undefined && other === undefined ? undefined : [...(one ?? []), ...(other ?? [])]
}

/** The members that are there. */
function present<T extends object>(members: T): Present<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Present<T>
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function merged<T extends object>(
  given: T | undefined,
  members: { [K in keyof T]?: T[K] | undefined },
): T | undefined {
  const own = present(members)
  return given === undefined && Object.keys(own).length === 0 ? undefined : ({ ...given, ...own } as T)
}

function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Partial<Pick<T, K>> {
  return Object.fromEntries(
    names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]),
  ) as Partial<Pick<T, K>>
}

function mapped(
  from: Readonly<Record<string, string>>,
  change: (value: string, name: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(value, name)]))
}
