import { redact } from '../../core/index.ts'
import { placeholder, readPlaceholder } from './interpolate.ts'

/** Names of variables, headers, flags and members whose values are secret. */
const secretName =
  /key|token|secret|passw|passphrase|pwd|auth|credential|cookie|bearer|jwt|private|session|sig(?:nature)?$|(?:^|[-_])(?:pat|pin|dsn)$/i

/** Values of environment variables that nobody keeps secret: switches, levels, small numbers, places. */
const harmless =
  /^(?:|true|false|yes|no|on|off|\d{1,5}|production|development|test|staging|trace|debug|info|warn(?:ing)?|error|(?:https?:\/\/[^\s?#]*|(?:~?\/|\.\.?\/|[A-Za-z]:\\)\S*))$/i

/** Schemes that may stand before a placeholder in a header. */
const scheme = /^(?:bearer|basic|dpop|token|apikey)\s+/i

/** Shorter ones are words like `prod`. */
const shortest = 6

/** Whether a name says that its value is secret. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

/** What of a text is written out, and not left to variables. Defaults of placeholders are. */
export function literalOf(text: string): string {
  return text
    .replace(scheme, '')
    .replace(placeholder, (_match, inside: string) => readPlaceholder(inside)?.fallback ?? '')
    .trim()
}

/** Whether a value may be written to a file though its name does not say what it is. `known` are secrets of elsewhere. */
export function looksSecret(text: string, known: readonly string[]): boolean {
  const literal = literalOf(text)
  return (
    redact(literal) !== literal ||
    // `?sig=…` of a URL, `PIN=…` of a shell, `X-API-Key: …` of a header, with its flag before it or without.
    [...literal.matchAll(/(?:^|[?&;\s])([\w.-]+)(?:=|:\s*(?!\/\/))[^&\s]/g)].some(([, name = '']) =>
      isSecretName(name),
    ) ||
    known.some((secret) => secret.length >= shortest && text.includes(secret)) ||
    // Letters and digits without a pause: no word, and no version of one.
    literal.split(/[^A-Za-z0-9]+/).some((piece) => /^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9]{12,}$/.test(piece)) ||
    /[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/i.test(literal)
  )
}

/** Whether the value of an environment variable may be written to a file. What is not known to be harmless is not. */
export function isSecretVariable(name: string, value: string, known: readonly string[]): boolean {
  const literal = literalOf(value)
  if (literal === '') return false
  return isSecretName(name) || !harmless.test(literal) || looksSecret(value, known)
}
