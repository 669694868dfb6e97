import { UsageError } from '../command.ts'

/** What the parts of a gateway call their options, and what a person has written. */
const words: ReadonlyMap<string, string> = new Map([
  ['jwksUri', '--jwks'],
  ['publicKey', '--public-key'],
  ['issuer', '--issuer'],
  ['audience', '--audience'],
  ['algorithm', '--algorithm'],
  ['algorithms', '--algorithm'],
  ['requiredScopes', '--required-scope'],
  ['endpoint', '--introspect'],
  ['apiKeyHeader', '--api-key-header'],
  ['allowedHosts', '--allowed-host'],
  ['allowedOrigins', '--allowed-origin'],
  ['resource', '--resource'],
  ['allow', '--env'],
])

/**
 * What is wrong with an option is said with a `TypeError` that names it, and the function it is for. A person reads the
 * word they wrote; other errors stay as they are.
 */
export function inWordsOfTheLine(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error
  const message = error.message
    .replace(/^[a-z]\w*: /, '')
    .replace(/^(\w+)(?:\[\d+\])?(?= )/, (all, name: string) => words.get(name) ?? all)
  return new UsageError(message, { cause: error })
}
