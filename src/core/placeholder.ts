/** Why a credential is no credential: text that should have been replaced by one, or was put together wrongly. */
export type PlaceholderCause =
  | 'unexpanded_variable'
  | 'doubled_scheme'
  | 'missing_value'
  | 'angle_brackets'
  | 'example'

/** What to tell the operator; never the value itself. */
export const placeholderAdvice: Readonly<Record<PlaceholderCause, string>> = {
  unexpanded_variable:
    'A client sent the name of a variable instead of its value; set the variable where the client runs.',
  doubled_scheme: 'A client sent "Bearer" twice; its configuration should hold the token alone.',
  missing_value: 'A client sent the text of an empty value; its token was not set when the header was built.',
  angle_brackets: 'A client sent text in angle brackets; put the token itself in their place.',
  example: 'A client sent an example such as YOUR_API_KEY or xxxx; put the token itself in its place.',
}

/**
 * Recognises what hosts send when their configuration is not filled in: `${TOKEN}`, `{env:TOKEN}`, `undefined`,
 * `Bearer Bearer x`, `<token>`, `YOUR_API_KEY`, `changeme`, `xxxx`. For the log of the operator: the caller learns nothing.
 *
 * @param value of the header, with or without its scheme
 */
export function placeholderCause(value: string): PlaceholderCause | undefined {
  const rest = value.trim().replace(/^bearer[ \t]+/i, '')
  if (/^bearer(?:[ \t]|$)/i.test(rest) && rest.length < value.trim().length) return 'doubled_scheme'
  if (/\$\{|\{env:|\{\{|\$\(|^\$[A-Za-z_]|^%[A-Za-z_]\w*%$/.test(rest)) return 'unexpanded_variable'
  if (/^(?:undefined|null|none|nan|\[object object\])$/i.test(rest)) return 'missing_value'
  if (rest.startsWith('<') && rest.endsWith('>')) return 'angle_brackets'
  if (rest.length <= longestExample && examples.some((pattern) => pattern.test(rest))) return 'example'
  return undefined
}

/** Characters. No key that is random is shorter, and no example much longer. */
const longestExample = 100

/** What documentation writes where a key belongs, alone or after the prefix of one, such as `sk-` or `mcpk_live_`. */
const examples: readonly RegExp[] = [
  /^(?:your|my|the|insert|enter|paste)[-_. ]?(?:own[-_. ]?)?(?:\w{1,20}[-_. ])?(?:api|access|auth|bearer|secret)?[-_. ]?(?:key|token|secret|password)(?:[-_. ]?(?:here|goes[-_. ]here))?$/i,
  /^(?:api|access|auth|bearer|secret)[-_. ]?(?:key|token)(?:[-_. ]?here)?$/i,
  /^(?:change|replace)[-_. ]?(?:me|this)$/i,
  /^(?:token|secret|password|example|placeholder|dummy|todo|tbd|redacted)$/i,
  /^(?:[a-z][a-z0-9]{0,15}[-_]){0,3}(?:x{3,}|\.{3,}|\*{3,}|0{8,})$/i,
]
