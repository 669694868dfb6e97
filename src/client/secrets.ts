import { redacted } from '../core/index.ts'

/** Shorter ones are words like `prod`; they stand in innocent texts as well, and no secret is that short. */
const shortest = 6

/** What must not come back in an error: the value of each header, and the pieces of it that may be credentials. */
export function secretsOf(headers: readonly (readonly [name: string, value: string])[]): readonly string[] {
  return headers.flatMap(([, value]) => [value, ...value.split(/[\s;,=]+/)])
}

/**
 * Takes known secrets out of what a server wrote: a debug page or an error text may repeat the request. Also in the
 * form JSON may give them, with escaped slashes.
 */
export function conceal(text: string, secrets: readonly string[]): string {
  let clean = text
  for (const secret of secrets) {
    if (secret.length < shortest) continue
    clean = clean.replaceAll(secret, redacted).replaceAll(secret.replaceAll('/', '\\/'), redacted)
  }
  return clean
}
