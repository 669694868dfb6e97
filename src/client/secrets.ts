import { redacted } from '../core/index.ts'
import { writtenForms } from '../core/redact.ts'

/** Shorter ones are words like `prod`; they stand in innocent texts as well, and no secret is that short. */
const shortest = 6
/** So much of the beginning of a secret is part of it: what was cut short, as in `sk-abc12345…`. */
const shortestBeginning = 12

/** What must not come back in an error: the value of each header, and the pieces of it that may be credentials. */
export function secretsOf(headers: readonly (readonly [name: string, value: string])[]): readonly string[] {
  return headers.flatMap(([, value]) => [value, ...piecesOf(value)])
}

function piecesOf(value: string): string[] {
  const pieces = value.split(/[\s;,=]+/).filter((piece) => !/^bearer$/i.test(piece))
  // The parts of a JWT. Of other values the same would be words of host names.
  return [...pieces, ...pieces.flatMap((piece) => piece.split('.').filter((part) => part.length >= 16))]
}

/**
 * Takes known secrets out of what a server wrote: a debug page or an error text may repeat the request. Also in the
 * forms URLs, JSON and base64 give them, and when only their beginning is shown.
 */
export function conceal(text: string, secrets: readonly string[]): string {
  const long = secrets.filter((secret) => secret.length >= shortest)
  if (text === '' || long.length === 0) return text
  const forms = [...new Set(long.flatMap(writtenForms))].sort((one, other) => other.length - one.length)
  let clean = text
  for (const form of forms) clean = clean.replaceAll(form, redacted)
  for (const form of forms) clean = withoutBeginnings(clean, form)
  return clean
}

/** Whether a text holds a secret that is too long to stand there by chance. */
export function repeatsSecret(text: string, secrets: readonly string[]): boolean {
  const long = secrets.filter((secret) => secret.length >= 16)
  return conceal(text, long) !== text
}

function withoutBeginnings(text: string, secret: string): string {
  if (secret.length <= shortestBeginning) return text
  const beginning = secret.slice(0, shortestBeginning)
  let clean = ''
  let done = 0
  for (let at = text.indexOf(beginning); at !== -1; at = text.indexOf(beginning, done)) {
    let end = beginning.length
    while (end < secret.length && text[at + end] === secret[end]) end++
    clean += text.slice(done, at) + redacted
    done = at + end
  }
  return clean + text.slice(done)
}
