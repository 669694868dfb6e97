/**
 * Why a token is refused. For the operator, never for the caller: on the wire every refusal is the same
 * `invalid_token` (RFC 6750 section 3.1), so that nobody learns from it how to make a better forgery.
 *
 * | reason | meaning |
 * |---|---|
 * | `malformed` | not a compact JWS around two JSON objects (RFC 7515 section 7.1), or a header member has the wrong type |
 * | `too_long` | longer than 8 KiB |
 * | `type` | `typ` names something that is no access token (RFC 8725 section 3.11) |
 * | `algorithm` | `alg` is not among the allowed ones (RFC 8725 section 3.1) |
 * | `critical` | `crit` or `b64` asks for something that is not supported (RFC 7515 section 4.1.11, RFC 7797) |
 * | `unknown_key` | no key, or no single key, fits `kid` and `alg` |
 * | `signature` | the signature does not verify |
 * | `no_expiry` | `exp` is absent, and `allowMissingExp` is not set |
 * | `expired` | `exp` is past |
 * | `not_yet_valid` | `nbf` or `iat` is in the future |
 * | `time_claim` | `exp`, `nbf` or `iat` is not a sensible number of seconds |
 * | `issuer` | `iss` is not a configured issuer |
 * | `audience` | `aud` holds no configured audience |
 * | `token_kind` | an ID token, refresh token or another thing that is no access token |
 * | `bound` | bound to a key the caller has not proved to hold (RFC 9449 section 7.2, RFC 8705 section 3) |
 * | `identity` | neither subject nor client, or one of them is not a usable text |
 * | `scope_claim` | `scope` or `scp` has the wrong type |
 * | `unknown_token` | not one of the tokens of a `staticVerifier` |
 */
export type RefusalReason =
  | 'malformed'
  | 'too_long'
  | 'type'
  | 'algorithm'
  | 'critical'
  | 'unknown_key'
  | 'signature'
  | 'no_expiry'
  | 'expired'
  | 'not_yet_valid'
  | 'time_claim'
  | 'issuer'
  | 'audience'
  | 'token_kind'
  | 'bound'
  | 'identity'
  | 'scope_claim'
  | 'unknown_token'
