import type { ApiKey } from '../../apikeys/api-key.ts'
import { type CheckLine, jwtCheckLines } from '../../inspector/token/checks.ts'
import { tokenKind } from '../../inspector/token/token-kind.ts'
import { explainToken, type JwtVerifierOptions } from '../../verify/index.ts'
import { UsageError } from '../command.ts'
import { oneOf, scopesOf } from '../keys/words.ts'
import type { OptionTable, ParsedWords } from '../parse-words.ts'
import type { Terminal } from '../terminal.ts'
import { askKeys } from './ask-keys.ts'
import { namesKeyPlace, serverOptions, serverOptionsHelp, verifierOptions } from './server-options.ts'
import { kindAdvice, notesOf, type Verdict } from './verdict.ts'

/** The options that say what a server takes: JWTs, API keys, or what a gateway's file says. */
export const askOptions = {
  ...serverOptions,
  db: { type: 'string' },
  env: { type: 'string' },
  config: { type: 'string' },
} as const satisfies OptionTable

/** Their lines of the help. */
export const askOptionsHelp = `${serverOptionsHelp}
  --db WHERE          the database of API keys: a file (SQLite), or postgres://host/name
  --env live|test     the API keys to take; otherwise live
  --config FILE       all of that from the file of a gateway, its auth section`

/** What was said of a server. */
export type AskValues = ParsedWords<typeof askOptions>['values']

/** What a server makes of a token. */
export interface ServerAnswer {
  readonly told: Verdict
  /** What to do about a refusal, where more is known than for all of its kind. */
  readonly advice?: string | undefined
  /** In the order of the server. */
  readonly checks: readonly CheckLine[]
  /** The API key in the database, when its secret is right. */
  readonly apiKey?: ApiKey
  /** What is known of it, a line each. */
  readonly facts?: readonly string[]
  /** What a server has to be told, to answer the same. */
  readonly notes: readonly string[]
}

/**
 * Whether a server was described.
 * @throws UsageError when it was described by halves, or twice
 */
export function isServerAsked(values: AskValues): boolean {
  const { config, db } = values
  const given = Object.keys(askOptions).filter((name) => Object.hasOwn(values, name))
  if (config !== undefined && given.length > 1) {
    throw new UsageError(`--config has all that is known of the server; leave --${other(given)} out`)
  }
  const isAsked = namesKeyPlace(values) || db !== undefined || config !== undefined
  if (!isAsked && given.length > 0) {
    throw new UsageError(
      'whose key? Give --public-key FILE, --jwks URL, --issuer URL to look it up, --db for API keys, or --config',
    )
  }
  return isAsked
}

/** Asks the verifier that such a server has for such a token. @throws UsageError */
export async function askServer(
  token: string,
  values: AskValues,
  reader: { readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<ServerAnswer> {
  const { config, db, audience, env, scope } = values
  if (config !== undefined) {
    const { askGateway } = await import('./ask-gateway.ts')
    return askGateway(token, config, reader)
  }
  const isKey = tokenKind(token).kind === 'api_key'
  if (db === undefined || (!isKey && namesKeyPlace(values))) {
    const options = await verifierOptions(values, token)
    return askJwts(token, options, values['allow-private-network'] === true, values.algorithm === undefined)
  }
  if (audience !== undefined && audience.length > 1) {
    throw new UsageError('a server has one name for API keys: give --audience once')
  }
  return askKeys(
    token,
    {
      db,
      audience: audience?.[0],
      environment: env === undefined ? undefined : oneOf(env, '--env', ['live', 'test']),
      requiredScopes: scope && scopesOf(scope),
    },
    reader.terminal,
  )
}

/** Asks a verifier of JWTs. */
export async function askJwts(
  token: string,
  options: JwtVerifierOptions,
  allowPrivateNetwork: boolean,
  tookAll: boolean,
): Promise<ServerAnswer> {
  const told = await explainToken(token, options, { allowPrivateNetwork })
  const { verdict, refusal } = told
  const notAsked = new Set([
    'rules' as const,
    ...(options.issuer === undefined ? (['issuer'] as const) : []),
    ...(options.audience === undefined ? (['audience'] as const) : []),
    ...((options.requiredScopes ?? []).length === 0 ? (['scopes'] as const) : []),
  ])
  return {
    told,
    advice: kindAdvice(token),
    checks: jwtCheckLines({ verdict, reason: refusal?.reason, notAsked }),
    notes: verdict === 'accepted' ? notesOf(told, options, tookAll) : [],
  }
}

function other(given: readonly string[]): string {
  return given.find((name) => name !== 'config') ?? ''
}
