import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { secretsOf } from '../core/index.ts'

/**
 * Fails when something that a logger, a debugger or a crash report may show of a value holds a secret: in `inspect` with
 * hidden members, JSON, string conversion, a structured clone, or any property; as it is, encoded, or its beginning.
 *
 * @param what how the failure calls the value
 * @throws AssertionError naming the way it is shown, not the secret
 *
 * @example
 * ```ts
 * import { BearerAuth } from 'mcp-bearer/client'
 * import { assertShowsNoSecret } from 'mcp-bearer/testing'
 *
 * assertShowsNoSecret('the source', new BearerAuth('sk-abc123'), ['sk-abc123'])
 * ```
 */
export function assertShowsNoSecret(what: string, value: unknown, secrets: readonly string[]): void {
  const forms = new Set(secrets.flatMap(formsOf))
  for (const [way, text] of waysToShow(value)) {
    for (const form of forms) assert.ok(!text.includes(form), `${what} shows a secret in ${way}`)
  }
}

/** Shorter pieces are found in innocent texts as well. */
const shortestPiece = 12

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const beginning = secret.length >= 2 * shortestPiece ? [secret.slice(0, shortestPiece)] : []
  return [
    ...secretsOf(secret),
    ...beginning,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ].filter((form) => form !== '')
}

function waysToShow(value: unknown): readonly (readonly [way: string, text: string])[] {
  return [
    ['util.inspect', inspect(value, { showHidden: true, depth: Infinity, getters: true })],
    ['JSON', attempt(() => JSON.stringify(value))],
    ['a string', attempt(() => String(value))],
    ['a structured clone', attempt(() => inspect(structuredClone(value), { depth: Infinity }))],
    ['a property', propertiesOf(value, new Set())],
  ]
}

function attempt(show: () => string | undefined): string {
  try {
    return show() ?? ''
  } catch {
    // It cannot be shown in this way.
    return ''
  }
}

/** Own properties of all depths, symbols and hidden ones included. */
function propertiesOf(value: unknown, seen: Set<unknown>): string {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return String(value)
  if (seen.has(value)) return ''
  seen.add(value)
  return Reflect.ownKeys(value)
    .map((name) => `${String(name)}: ${attempt(() => propertiesOf(Reflect.get(value, name), seen))}`)
    .join('\n')
}
