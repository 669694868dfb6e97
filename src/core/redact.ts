/** What stands in the place of a secret. */
export const redacted = '[redacted]'

const patterns: readonly RegExp[] = [
  // A credential after its scheme, whatever it looks like.
  /\b((?:Bearer|Basic|DPoP)\s+)[^\s"',;]+/gi,
  // A compact JWS or JWE: header of a JSON object, then two to four more parts.
  /\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,4}/g,
  // An API key of this package's own format, and the prefixes other services use for theirs.
  /\b[a-z][a-z0-9]{1,15}_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}\b/g,
  /\b(?:sk|pk|rk|ghp|gho|ghs|ghu|glpat|xox[abps])[-_][A-Za-z0-9_-]{8,}/g,
  // A token that somebody put into a URL.
  /([?&](?:access_token|token|api_key|apikey|key)=)[^&\s"']+/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
]

/**
 * Takes everything out of a text that looks like a credential: bearer values, JWTs, known API-key shapes, private
 * keys, and the given secrets themselves. For logs and for messages that leave the process.
 *
 * @param text what is about to be written
 * @param secrets values known to be secret; each occurrence is replaced. Empty ones are ignored
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, redacted)
  for (const pattern of patterns) {
    clean = clean.replace(
      pattern,
      (_match, kept: unknown) => (typeof kept === 'string' ? kept : '') + redacted,
    )
  }
  return clean
}
