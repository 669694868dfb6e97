import { isPlain } from '../../client/config/config-document.ts'
import { interpolate, processEnvironment } from '../../client/config/interpolate.ts'
import { credential as entryCredential } from '../../client/config/server-config.ts'
import { BearerAuth, type TokenSource } from '../../client/index.ts'
import { isUrl } from '../arguments.ts'
import { UsageError } from '../command.ts'
import { credential, notes } from '../credential.ts'
import { printableLine } from '../printable.ts'
import { findServer } from '../target.ts'
import type { Terminal } from '../terminal.ts'

/** What is probed, and with which token. */
export interface ProbeTarget {
  readonly url: string
  readonly token: string | undefined
}

/** What the command line says of it. */
export interface ProbeTargetWords {
  /** A URL, or the name of a server in a configuration. */
  readonly target: string
  readonly auth: string | undefined
  readonly config: string | undefined
}

/**
 * Looks up what is probed. Nothing is sent to it.
 * @throws UsageError, TypeError, or the `AuthError` of a source that has no token
 */
export async function probeTarget(
  { target, auth, config }: ProbeTargetWords,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<ProbeTarget> {
  if (config !== undefined && isUrl(target)) {
    throw new UsageError('--config goes with the name of a server, not with a URL')
  }
  if (config === undefined && looksLikeAddress(target)) {
    throw new UsageError(
      `a URL begins with http:// or https://; write for example http://${printableLine(target.replace(/^\w*:?\/\//, ''), 200)}`,
    )
  }
  const given = auth === undefined ? undefined : await credential(auth, terminal, signal)
  const { url, source } = isUrl(target)
    ? { url: target, source: undefined }
    : await byName(target, config, terminal)
  if (!URL.canParse(url)) throw new UsageError('that is no URL that can be probed')
  return { url, token: await tokenOf(given ?? source, url, signal) }
}

/** `localhost:3000/mcp` is what people write; names of a configuration look otherwise. */
function looksLikeAddress(target: string): boolean {
  return !isUrl(target) && /:\/\/|^[\w.-]+\/|^[\w.-]+:\d+(?:\/|$)|^\[[\da-f:]+\]/i.test(target)
}

async function byName(
  name: string,
  config: string | undefined,
  terminal: Terminal,
): Promise<{ url: string; source: TokenSource | undefined }> {
  const { member, entry } = await findServer(name, config)
  const place = `${member}.${printableLine(name, 100)}`
  if (!isPlain(entry) || entry.url === undefined) {
    throw new UsageError(`${place} has no url; a probe asks a server over HTTP`)
  }
  const environment = processEnvironment
  return {
    url: interpolate(entry.url, `${place}.url`, environment),
    source:
      'auth' in entry
        ? asSource(
            entryCredential(entry.auth, `${place}.auth`, { environment, log: notes(terminal) }),
            `${place}.auth`,
          )
        : ofHeader(entry.headers, `${place}.headers`),
  }
}

function asSource(credential: string | TokenSource, place: string): TokenSource {
  return typeof credential === 'string' ? new BearerAuth(credential, place) : credential
}

/** Where hosts have no `auth`, the token stands in a header. */
function ofHeader(headers: unknown, place: string): TokenSource | undefined {
  if (!isPlain(headers)) return undefined
  const [name, value] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization') ?? []
  if (name === undefined) return undefined
  const [, token] = /^bearer +(.+)$/is.exec(interpolate(value, `${place}.${name}`).trim()) ?? []
  return token === undefined ? undefined : new BearerAuth(token, `${place}.${name}`)
}

async function tokenOf(
  source: TokenSource | undefined,
  url: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (source?.dpop !== undefined) {
    throw new UsageError('a probe sends bearer tokens; one that is bound to a key is none')
  }
  return source?.token({ url, signal })
}
