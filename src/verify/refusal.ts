/**
 * Why a token is refused. For the operator, never for the caller: on the wire every refusal is the same
 * `invalid_token` (RFC 6750 section 3.1), so that nobody learns from it how to make a better forgery.
 *
 * | reason | meaning |
 * |---|---|
 * | `malformed` | not a compact JWS around two JSON objects (RFC 7515 section 7.1), a header member has the wrong type, or not the shape of an API key |
 * | `too_long` | longer than 8 KiB; an API key: than 512 characters |
 * | `wrong_type` | `typ` names something that is no access token (RFC 8725 section 3.11) |
 * | `algorithm_not_allowed` | `alg` is not among the allowed ones (RFC 8725 section 3.1) |
 * | `critical_header` | `crit` or `b64` asks for something that is not supported (RFC 7515 section 4.1.11, RFC 7797) |
 * | `no_matching_key` | no key, or no single key, fits `kid` and `alg` |
 * | `bad_signature` | the signature does not verify |
 * | `missing_claim` | a claim that is needed is absent: `exp`, or one of those of the `rfc9068` profile |
 * | `expired` | `exp`, or the expiry of an API key, is past |
 * | `not_yet_valid` | `nbf`, or the beginning of an API key, is in the future |
 * | `issued_in_future` | `iat` is in the future |
 * | `too_old` | issued longer ago than `maxTokenAge` |
 * | `invalid_time` | `exp`, `nbf` or `iat` is not a sensible number of seconds |
 * | `wrong_issuer` | `iss` is not a configured issuer |
 * | `wrong_audience` | `aud` holds no configured audience; an API key is for other servers, or for one that has no `audience` |
 * | `not_an_access_token` | an ID token, refresh token or another thing that is no access token |
 * | `sender_constrained` | bound to a key the caller has not proved to hold (RFC 9449 section 7.2, RFC 8705 section 3) |
 * | `no_identity` | neither subject nor client, or one of them is not a usable text |
 * | `invalid_scope` | the claim that holds scopes has the wrong type |
 * | `rejected` | the `validate` hook said no |
 * | `inactive` | the authorization server says the token is not active (RFC 7662 section 2.2) |
 * | `unknown_token` | not one of the tokens a verifier knows |
 * | `not_recognized` | no member of `anyOf` is there for a token of this shape or issuer |
 * | `revoked` | the token, by its `jti` or its digest, or the API key was revoked |
 * | `cut_off` | issued before all tokens of its issuer, subject or client were cut off |
 * | `placeholder` | text that stands for a credential in an example, such as `YOUR_API_KEY` |
 * | `bad_checksum` | the shape of an API key, and not one: mistyped, cut, or from documentation |
 * | `unknown_key` | no API key with this id, or prefix, is in the store |
 * | `wrong_secret` | an API key with this id is there, and its secret is another one |
 * | `disabled` | the API key is switched off |
 * | `wrong_environment` | an API key for tests at a server that takes live ones, or the other way round |
 * | `address_not_allowed` | the API key is bound to addresses, and the caller's is none of them, or is not known |
 * | `usage_exhausted` | all uses the API key had are used up |
 */
export type RefusalReason = keyof typeof explanations

/** What an operator is told of a reason: one sentence, and what to do. */
interface Explanation {
  readonly message: string
  readonly remedy: string
}

/** The texts for each reason. The only place where they are written. */
export const explanations = {
  malformed: {
    message: 'The token is neither a well-formed signed JWT nor, where they are taken, an API key.',
    remedy:
      'Send it as it was given, nothing added: a JWT has three parts. Opaque tokens need introspectionVerifier, API keys of another make imported.',
  },
  too_long: {
    message: 'The token is longer than 8 KiB, or than the 512 characters of an API key.',
    remedy:
      'Have the issuer leave large claims, such as group lists, out of the token. Send an API key and nothing else.',
  },
  wrong_type: {
    message: 'The typ header says that this is something else than an access token.',
    remedy: 'Send the access token. If the issuer marks its access tokens so, name the value in rules.types.',
  },
  algorithm_not_allowed: {
    message: 'The token is signed with an algorithm that is not allowed.',
    remedy: 'If the issuer really signs so, name the algorithm in algorithms.',
  },
  critical_header: {
    message: 'The token needs an extension (crit or b64) that is not supported.',
    remedy: 'Have the issuer leave the extension out.',
  },
  no_matching_key: {
    message: 'No key, or no single one, fits the kid and alg of the token.',
    remedy: 'Compare the kid with the key set of the issuer, and see that jwksUri is that of this issuer.',
  },
  bad_signature: {
    message: 'The signature does not verify with the key of the issuer.',
    remedy: 'See that the key is that of the issuer. If it is, the token was altered or forged.',
  },
  missing_claim: {
    message: 'A claim that is required is not in the token.',
    remedy:
      'Have the issuer put it in. Tokens without exp pass with rules.allowMissingExp, the others without rules.profile.',
  },
  expired: {
    message: 'The token or API key has expired.',
    remedy: 'The client has to get a new one. If it did, compare the clocks.',
  },
  not_yet_valid: {
    message: 'The token (nbf) or API key is not valid yet.',
    remedy: 'Compare the clocks of this machine and of the issuer. An API key has to wait.',
  },
  issued_in_future: {
    message: 'The token says that it was issued in the future (iat).',
    remedy: 'Compare the clocks of this machine and of the issuer.',
  },
  too_old: {
    message: 'The token was issued longer ago than maxTokenAge allows, or does not say when.',
    remedy: 'The client has to get a new one, or rules.maxTokenAge is too short.',
  },
  invalid_time: {
    message: 'exp, nbf or iat is not a sensible number of seconds since 1970.',
    remedy: 'Have the issuer write seconds, not milliseconds or texts, and exp later than iat.',
  },
  wrong_issuer: {
    message: 'The iss claim is not the configured issuer.',
    remedy: 'Set issuer to exactly what the tokens carry, or get the token from the configured issuer.',
  },
  wrong_audience: {
    message:
      'The token or API key was made for another service: its audience does not hold the configured one.',
    remedy:
      'Have the client get one for this server (resource parameter, RFC 8707), or set audience to exactly what the tokens or keys carry.',
  },
  not_an_access_token: {
    message: 'This is an ID token, a refresh token or another thing that is no access token.',
    remedy: 'The client has to send the access token.',
  },
  sender_constrained: {
    message: 'The token is bound to a key of its client (cnf), and was sent as a plain bearer token.',
    remedy: 'Have the issuer make bearer tokens for this server.',
  },
  no_identity: {
    message: 'The token names neither a subject nor a client, or names one that is no usable text.',
    remedy: 'Have the issuer put sub or client_id into the token.',
  },
  invalid_scope: {
    message: 'The claim that holds the scopes is neither a text nor a list of scopes.',
    remedy: 'Have the issuer correct it, or read the scopes from elsewhere with rules.scopesFrom.',
  },
  rejected: {
    message: 'The validate hook refused the token.',
    remedy: 'See what rules.validate asks for.',
  },
  inactive: {
    message: 'The authorization server says that the token is not active.',
    remedy: 'The client has to get a new one.',
  },
  unknown_token: {
    message: 'The token is not one of those that are known.',
    remedy: 'Compare what the client sends with the tokens the verifier knows.',
  },
  not_recognized: {
    message: 'No verifier is there for a token of this shape or issuer.',
    remedy: 'Add a verifier for it to anyOf, or get a token from an issuer that is named there.',
  },
  revoked: {
    message: 'The token or API key was revoked.',
    remedy: 'The client has to get a new one.',
  },
  cut_off: {
    message: 'All tokens that its issuer, subject or client got until a certain time were revoked.',
    remedy: 'The client has to get a new one.',
  },
  placeholder: {
    message: 'The token is text that stands for one in an example or a template.',
    remedy: 'Put the token itself in its place, in the configuration of the client.',
  },
  bad_checksum: {
    message: 'The API key is mistyped, cut short, or an example: its checksum does not fit.',
    remedy: 'Copy the key again, all of it. mcp-bearer keys check says whether a text can be a key.',
  },
  unknown_key: {
    message: 'No API key with this id or prefix is in the store.',
    remedy: 'See that the key is from this deployment and that this server uses the store it was made in.',
  },
  wrong_secret: {
    message: 'An API key with this id exists, and its secret is another one.',
    remedy: 'The key was altered or guessed at, or its pepper is not among peppers.',
  },
  disabled: {
    message: 'The API key is disabled.',
    remedy: 'Enable it with mcp-bearer keys enable, or give the client another one.',
  },
  wrong_environment: {
    message:
      'The API key is for another environment: test keys and live keys are not taken by the same server.',
    remedy: 'Give the client a key for this environment, or set environment.',
  },
  address_not_allowed: {
    message: 'The API key must not be used from the address of the caller, or the address is not known.',
    remedy: 'Add the network to the addresses of the key. Behind a proxy, set trustProxy.',
  },
  usage_exhausted: {
    message: 'All uses of the API key are used up.',
    remedy: 'Give the key a new usage limit, or the client another key.',
  },
} as const satisfies Readonly<Record<string, Explanation>>

/** All reasons, in the order of the table at {@link RefusalReason}. */
export const refusalReasons: readonly RefusalReason[] = Object.freeze(
  Object.keys(explanations) as RefusalReason[],
)

/** What a verifier of somebody else says of a token that was good before, in our words. */
export function reasonOf(text: string): RefusalReason {
  return refusalReasons.find((reason) => reason === text) ?? 'revoked'
}

/**
 * A refusal in full: for logs and metrics of the operator, and never for the caller. Holds nothing of the token but the
 * values that were compared, cut to a sensible length.
 */
export interface TokenRefusal extends Explanation {
  readonly reason: RefusalReason
  /** What the configuration asks for, where two values were compared. */
  readonly expected?: string
  /** What the token says instead. Not verified where the signature was not: somebody else's words. */
  readonly found?: string
  /** A guess at the mistake, such as a slash too many. */
  readonly hint?: string
}
