import { AuthError } from '../../core/errors.ts'

/**
 * What a driver threw, as the store may tell it: `verifier_unavailable`, whose cause says what happened and no more.
 * Drivers hang the statement, its parameters and whole connections on their errors, and PostgreSQL repeats values.
 *
 * A value PostgreSQL cannot keep is no outage, and becomes a `TypeError`: trying again would not help.
 */
export function storeError(error: unknown, url: string): Error {
  const { code, message } = facts(error)
  // Classes 22 and 23, data exceptions and constraints: https://www.postgresql.org/docs/current/errcodes-appendix.html
  if (/^2[23]\w{3}$/.test(code)) {
    return new TypeError(`KeyStore: PostgreSQL cannot keep a value, such as text with U+0000 (${code})`)
  }
  const told = isSqlState(code) && !harmless.test(code) ? 'PostgreSQL refused a statement' : message
  const cause = new Error(withoutSecrets(told, url) + (code === '' ? '' : ` (${code})`))
  return new AuthError('verifier_unavailable', 'The key database cannot be asked right now', { cause })
}

/** Whether two transactions got into each other's way, and it may go better now. */
export function isConflict(error: unknown): boolean {
  const { code } = facts(error)
  return code === '40P01' || code === '40001'
}

/** Classes whose messages name roles, databases, tables and limits, and never a value that was given. */
const harmless = /^(?:08|25|28|3D|40|42|53|55|57|58|0A)\w{3}$/

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code)
}

function facts(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof AggregateError) return facts(error.errors[0])
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown }
  return {
    code: typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : '',
    message: typeof message === 'string' && message !== '' ? message.slice(0, 300) : 'no message',
  }
}

/** Messages are not known to repeat the password. This is for the one that does. */
function withoutSecrets(message: string, url: string): string {
  const { password, searchParams } = new URL(url)
  // Drivers take it from the query as well.
  const secrets = [password, decoded(password), ...searchParams.getAll('password')]
  let text = message.replaceAll(url, '[redacted]')
  for (const secret of secrets.flatMap((one) => [one, encodeURIComponent(one)])) {
    if (secret !== '') text = text.replaceAll(secret, '[redacted]')
  }
  return text
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
