import { interval } from '../../core/schedule.ts'
import { LocalIssuer, signingAlgorithms } from '../../issuer/index.ts'
import { UsageError } from '../command.ts'
import { ownName, shellWord } from '../command-name.ts'
import { dataFile } from '../data-folder.ts'
import { exitCode } from '../exit-codes.ts'
import { durationOf } from '../keys/times.ts'
import { localCommand } from '../local-command.ts'
import { printable, printableJson } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { type IssuerKeys, openIssuerKeys, rotated } from '../token/issuer-keys.ts'
import { algorithmOf } from '../token/key-file.ts'

/** Part of the name of the issuer, and so of each token: the same every time. */
const usualPort = 9000
/** Seconds. Verifiers keep a key set for a minute. */
const shortestRotation = 60
/** Seconds; a timer of more fires at once. */
const longestRotation = 2_147_483

/** `mcp-bearer issuer`: keys and metadata of an identity provider, for development. */
export const issuer = localCommand({
  summary: 'run an issuer of tokens for development: JWKS and discovery',
  usage: 'issuer [--port 9000] [--key FILE] [--rotate-every 1d]',
  about: `Publishes a signing key as an identity provider would: a JSON Web Key Set, and metadata by
which servers find it (RFC 8414, OpenID Connect Discovery). Tokens are signed with
"mcp-bearer token mint" and the same key file, so they survive a restart.

  mcp-bearer issuer
  mcp-bearer issuer --key dev.pem --rotate-every 1d

Rotation: kill -USR2 PID makes a new key. Tokens of the one before stay good until the next
rotation, so that twice ends all tokens there are.

For development and tests. It listens on 127.0.0.1 only, and whoever reads the key file can
sign any token. There is no login and no token endpoint: for OAuth take an authorization
server.`,
  optionsHelp: `  --port N            otherwise ${usualPort}. It is part of the issuer's name, and so of its tokens
  --key FILE          the private key; made when it is not there, for you alone. Otherwise in
                      the data folder of your user
  --algorithm NAME    of a new key: ${signingAlgorithms.slice(0, 6).join(', ')},
                      ${signingAlgorithms.slice(6).join(', ')}; otherwise RS256, which servers
                      take without being told. For an RSA key it is said each time
  --rotate-every TIME 1h, 1d: a new key each time`,
  options: {
    port: { type: 'string' },
    key: { type: 'string' },
    algorithm: { type: 'string' },
    'rotate-every': { type: 'string' },
  },
  words: [0, 0],
  async run({ values, terminal, signal }) {
    const port = portOf(values.port)
    const every = values['rotate-every'] === undefined ? undefined : rotationOf(values['rotate-every'])
    const algorithm = values.algorithm === undefined ? undefined : algorithmOf(values.algorithm)
    const keys = await openIssuerKeys(values.key ?? dataFile('issuer.pem'), algorithm, terminal)
    await using local = await start(keys, port)
    if (values.json === true) terminal.line(printableJson(facts(local, keys)))
    else for (const line of lines(local, keys, every)) terminal.line(printable(line))
    await runUntilStopped(local, keys, { every, terminal, signal })
    return exitCode.ok
  },
})

function portOf(text = String(usualPort)): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new UsageError('--port must be a number from 0 to 65535')
}

function rotationOf(text: string): number {
  const seconds = durationOf(text, '--rotate-every')
  if (seconds >= shortestRotation && seconds <= longestRotation) return seconds
  throw new UsageError('--rotate-every must be from 1m to 24d: servers keep keys for a minute')
}

async function start({ current, previous }: IssuerKeys, port: number): Promise<LocalIssuer> {
  try {
    return await LocalIssuer.start({
      port,
      keyPair: current,
      ...(previous && { previousKeyPair: previous }),
      logger: () => {},
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error
    const why = code === 'EACCES' ? 'is not for you' : 'is taken; perhaps an issuer runs there already'
    throw new UsageError(`port ${port} ${why}. --port N takes another, which is another issuer to servers`)
  }
}

interface Life {
  /** Seconds. */
  readonly every: number | undefined
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** Rotates when it is asked to, and ends with Ctrl-C or as the system wants it. */
async function runUntilStopped(
  local: LocalIssuer,
  first: IssuerKeys,
  { every, terminal, signal }: Life,
): Promise<void> {
  let turn: Promise<IssuerKeys> = Promise.resolve(first)
  const rotate = () => {
    turn = turn.then((keys) => rotateOnce(local, keys, terminal))
  }
  const stopTurning = every === undefined ? undefined : interval(rotate, every * 1000)
  process.on('SIGUSR2', rotate)
  try {
    await stopped(signal)
  } finally {
    process.off('SIGUSR2', rotate)
    stopTurning?.()
    await turn
  }
}

/** The file first: a token that nobody can sign again is better than a key that is gone. */
async function rotateOnce(local: LocalIssuer, keys: IssuerKeys, terminal: Terminal): Promise<IssuerKeys> {
  try {
    const next = await rotated(keys)
    await local.rotate(next.current)
    terminal.note(
      `New key ${next.current.kid}; tokens of ${keys.current.kid} stay good until the next rotation.`,
    )
    return next
  } catch (error) {
    const { code = 'no reason given' } = error as NodeJS.ErrnoException
    terminal.note(`mcp-bearer: the key file cannot be written (${code}): the key stays as it is`)
    return keys
  }
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      for (const name of ['SIGTERM', 'SIGHUP'] as const) process.off(name, stop)
      resolve()
    }
    for (const name of ['SIGTERM', 'SIGHUP'] as const) process.once(name, stop)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

function facts(local: LocalIssuer, { path, current, isNew }: IssuerKeys) {
  return {
    issuer: local.issuer,
    jwksUri: local.jwksUri,
    key: path,
    isNew,
    kid: current.kid,
    algorithm: current.algorithm,
    pid: process.pid,
  }
}

function lines(
  local: LocalIssuer,
  { path, current, isNew }: IssuerKeys,
  every: number | undefined,
): string[] {
  const own = ownName()
  const { algorithm, kid } = current
  const name = `--issuer ${local.issuer} --audience my-server`
  // RSA keys sign with several, and servers take one without being told.
  const signing = algorithm.startsWith('RS') || algorithm.startsWith('PS') ? told(algorithm) : ''
  const life = every !== undefined && every < 3600 ? ` --expires-in ${every}s` : ''
  return [
    'An issuer for development, on this machine only',
    `  issuer     ${local.issuer}`,
    `  keys       ${local.jwksUri}`,
    `  discovery  ${local.issuer}/.well-known/openid-configuration`,
    `  signs      ${algorithm}, kid ${kid}`,
    `  key file   ${path}${isNew ? ' (made just now, for you alone)' : ''}`,
    '',
    'A token, and what servers say of it',
    `  export TOKEN=$(${own} token mint --key ${shellWord(path)}${signing}${life} ${name} --subject me)`,
    `  ${own} token verify env:TOKEN ${name}`,
    '',
    'A server that takes it',
    `  ${own} protect --jwks ${local.jwksUri} ${name}${told(algorithm)} -- npx -y @modelcontextprotocol/server-everything`,
    '',
    `A new key: kill -USR2 ${process.pid}${every === undefined ? '' : `; and one every ${every} s`}. Ctrl-C ends it.`,
  ]
}

function told(algorithm: string): string {
  return algorithm === 'RS256' ? '' : ` --algorithm ${algorithm}`
}
