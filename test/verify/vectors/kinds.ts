import { goodClaims, now } from '../forge.ts'
import { goodHeader, signed, withClaims, withHeader } from './tokens.ts'
import { refused, type Vector } from './vector.ts'
import type { VerifierName } from './verifiers.ts'

const typ = (value: unknown, verifier: VerifierName = 'rs256', ids = 'B-25', about = '') =>
  refused(
    ids,
    `typ ${value === undefined ? 'absent' : JSON.stringify(value)}${about}`,
    () => withHeader({ typ: value }),
    'wrong_type',
    verifier,
  )

/** Everything else that is registered, or common, and signed by the same issuers. */
const otherTypes = [
  'dpop+jwt',
  'oauth-id-jag+jwt',
  'logout+jwt',
  'secevent+jwt',
  'token-introspection+jwt',
  'entity-statement+jwt',
  'kb+jwt',
  'dc+sd-jwt',
  'vc+jwt',
  'oauth-authz-req+jwt',
  'client-authentication+jwt',
  'oauth-client-attestation+jwt',
  'txntoken+jwt',
  'id+jwt',
  'rt+jwt',
  'JOSE',
  'JWE',
]

const types: readonly Vector[] = [
  ...otherTypes.map((value) => typ(value, 'rs256', 'B-25 B-55')),
  typ('application/dpop+jwt', 'rs256', 'B-25 B-55'),
  ...[
    '',
    ' ',
    'application/jwt',
    'JWT ',
    ' JWT',
    'at+jwt ',
    'at+jwt;v=1',
    'text/at+jwt',
    'application/application/at+jwt',
    'at jwt',
    'at+jwt,JWT',
    'x-at+jwt',
  ].map((value) => typ(value)),
  ...[1, null, true, ['at+jwt'], { typ: 'at+jwt' }].map((value) => typ(value)),
  typ('__proto__'),
  typ('JWT', 'rfc9068', 'B-25', ', in the rfc9068 profile'),
  typ(undefined, 'rfc9068', 'B-25', ', in the rfc9068 profile'),
  typ('dpop+jwt', 'rfc9068', 'B-25', ', in the rfc9068 profile'),
  typ('at+jwt', 'own-type', 'B-25 FL-48', ', where rules.types names another'),
  typ('JWT', 'own-type', 'B-25 FL-48', ', where rules.types names another'),
  typ('vnd.example', 'own-type', 'B-25 FL-48', ', the beginning of the one in rules.types'),
]

const marked = (name: string, members: object) =>
  refused('B-55 FL-44', name, () => withClaims(members), 'not_an_access_token')

const markers: readonly Vector[] = [
  ...['ID', 'Refresh', 'Offline', 'Logout', 'id', 'REFRESH'].map((kind) =>
    marked(`the claim typ ${kind} of Keycloak`, { typ: kind }),
  ),
  ...['id', 'ID', 'refresh', '', 'Access'].map((use) =>
    marked(`token_use ${JSON.stringify(use)} of Cognito`, { token_use: use }),
  ),
  marked('token_use null', { token_use: null }),
  marked('token_use true', { token_use: true }),
  marked('token_use a list that holds access', { token_use: ['access'] }),
]

const bound = (name: string, cnf: unknown) =>
  refused('B-56', name, () => withClaims({ cnf }), 'sender_constrained')

const bindings: readonly Vector[] = [
  bound('bound to a DPoP key', { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' }),
  bound('bound to a certificate', { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' }),
  bound('bound to a DPoP key and a certificate', { jkt: 'x', 'x5t#S256': 'y' }),
  bound('bound to a DPoP key whose thumbprint is empty', { jkt: '' }),
  bound('bound to a DPoP key whose thumbprint is null', { jkt: null }),
  bound('bound to a DPoP key, and something nobody knows', { kid: 'x', jkt: 'x' }),
  bound('cnf a text', 'x'),
  bound('cnf null', null),
  bound('cnf true', true),
  bound('cnf a list', [{ jkt: 'x' }]),
]

/** Things the issuer signs that a client might send by mistake, or an attacker on purpose. */
const others: readonly Vector[] = [
  refused(
    'B-55 FL-44',
    'an ID token: made for the client',
    () =>
      signed(
        { alg: 'RS256', typ: 'JWT' },
        { ...goodClaims, aud: 'app-1', azp: 'app-1', nonce: 'n-1', auth_time: now - 120, at_hash: 'x' },
      ),
    'wrong_audience',
  ),
  refused(
    'B-55',
    "a client's assertion about itself",
    () =>
      signed(
        { alg: 'RS256', typ: 'JWT' },
        { iss: 'app-1', sub: 'app-1', aud: 'https://as.example.com/token', jti: 'a-1', exp: now + 60 },
      ),
    'wrong_issuer',
  ),
  refused(
    'B-55',
    'an identity assertion for another authorization server',
    () =>
      signed(
        { alg: 'RS256', typ: 'oauth-id-jag+jwt' },
        { ...goodClaims, aud: 'https://other-as.example.com' },
      ),
    'wrong_type',
  ),
  refused(
    'B-55',
    'a logout token without its typ',
    () =>
      signed(
        { alg: 'RS256' },
        { ...goodClaims, aud: 'app-1', events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      ),
    'wrong_audience',
  ),
  refused(
    'B-55',
    'a DPoP proof without its typ',
    () => signed({ alg: 'RS256' }, { jti: 'p-1', htm: 'POST', htu: goodClaims.aud, iat: now }),
    'wrong_issuer',
  ),
  refused(
    'B-55 FL-44',
    'a refresh token of Keycloak: made for the issuer',
    () => signed(goodHeader, { ...goodClaims, typ: 'Refresh', aud: goodClaims.iss }),
    'wrong_audience',
  ),
  refused(
    'B-12',
    'a JWT in the claims of a token for another service',
    () => signed(goodHeader, { ...goodClaims, aud: 'https://other.example.com', jwt: goodClaims }),
    'wrong_audience',
  ),
]

export const kinds: readonly Vector[] = [...types, ...markers, ...bindings, ...others]
