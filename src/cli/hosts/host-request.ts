import { isAbsolute, join, win32 } from 'node:path'
import { isSecretName, literalOf, looksSecret } from '../../client/config/config-secrets.ts'
import { isVariableName } from '../../client/config/interpolate.ts'
import { redact } from '../../core/index.ts'
import { isLoopbackHost } from '../../core/options.ts'
import { UsageError } from '../command.ts'
import { printableLine } from '../printable.ts'
import type { Host, HostAuth, HostRequest } from './host.ts'

/** What the person has said. */
export interface HostWords {
  readonly url: string
  readonly name: string | undefined
  readonly auth: string | undefined
  readonly headers: readonly string[]
}

/**
 * Reads it for a host. What could be a token is refused, and not repeated: it is in the history of the shell already, and
 * shall not get into a file as well.
 *
 * @param home the folder of the person, for the place of a token
 * @throws UsageError
 */
export function hostRequest(words: HostWords, host: Host, home: string): HostRequest {
  const url = endpoint(words.url)
  const name = words.name ?? nameOf(new URL(url))
  if (!/^[A-Za-z0-9][\w-]{0,63}$/.test(name)) {
    throw new UsageError('--name must be letters, digits, - and _, at most 64')
  }
  const headers = words.headers.map(headerOf)
  const names = headers.map(([header]) => header.toLowerCase())
  if (new Set(names).size < names.length) throw new UsageError('--header gives one header twice')
  const isOwnCredential = words.auth === undefined && names.some(isSecretName)
  return { name, url, headers, auth: isOwnCredential ? undefined : authOf(words.auth, host, name, home) }
}

function endpoint(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    throw new UsageError('give the URL of the MCP endpoint')
  const url = new URL(text)
  const isPlain = url.protocol === 'http:' && !isLoopbackHost(url.hostname)
  if (isPlain) throw new UsageError('the URL must be https: anybody on the way could read the token')
  if (
    url.username !== '' ||
    url.password !== '' ||
    redact(text) !== text ||
    looksSecret(url.search.slice(1), [])
  ) {
    throw new UsageError(
      'the URL holds a credential, which proxies and logs would keep (MCP authorization, "Token Requirements"); give it with --auth or --header',
    )
  }
  return text
}

/** `mcp.reports.example.com` is `reports`. */
function nameOf({ hostname }: URL): string {
  if (isLoopbackHost(hostname)) return 'local'
  const labels = hostname.split('.').filter((label) => !/^(?:mcp|api|www|server)$/.test(label))
  const [first = ''] = labels
  return /^[a-z][\w-]*$/.test(first) ? first : 'server'
}

function headerOf(line: string): readonly [string, string] {
  const [, name, value = ''] = /^\s*([!#$%&'*+\-.^_`|~\w]+)\s*:\s*(.+?)\s*$/.exec(line) ?? []
  if (name === undefined) throw new UsageError("--header must be written 'Name: value'")
  if (/^(?:authorization)$/i.test(name)) {
    throw new UsageError('Authorization is written by --auth env:NAME or --auth file:PATH')
  }
  if (literalOf(value) !== '' && (isSecretName(name) || looksSecret(value, []))) {
    throw new UsageError(
      `the header ${printableLine(name, 64)} holds a credential, which does not belong into a file; write '${printableLine(name, 64)}: \${NAME}' in single quotes and set the environment variable NAME`,
    )
  }
  return [name, value]
}

function authOf(auth: string | undefined, host: Host, name: string, home: string): HostAuth {
  if (auth === undefined) {
    return host.usual === 'env'
      ? {
          kind: 'env',
          name: `${name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_TOKEN`.replace(/^(?=\d)/, '_'),
        }
      : { kind: 'file', path: join(home, `.${name}-token`) }
  }
  const [, kind, rest = ''] = /^(env|file):(.*)$/s.exec(auth) ?? []
  if (kind === 'env' && isVariableName(rest) && redact(rest) === rest && rest.length <= 128) {
    return { kind, name: rest }
  }
  if (kind === 'file') return { kind, path: tokenFile(rest) }
  throw new UsageError(
    '--auth must be env:NAME or file:PATH: a token does not belong into a configuration, nor on a command line. Put it into a file of yours: (umask 077 && cat > ~/.token)',
  )
}

function tokenFile(path: string): string {
  if (!isAbsolute(path) && !win32.isAbsolute(path)) {
    throw new UsageError(
      '--auth file: write the path in full; a host has another working directory, and no ~',
    )
  }
  if (/[\s\p{Cc}]/u.test(path))
    throw new UsageError('--auth file: the path has a space; some hosts cut it there')
  return path
}
