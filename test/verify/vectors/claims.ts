import { audience, goodClaims, issuer, now } from '../forge.ts'
import { signed, withClaims, withPayload } from './tokens.ts'
import { refused, type Vector } from './vector.ts'
import type { VerifierName } from './verifiers.ts'

/** How a value looks in JSON, cut where it is long; absent has no look. */
const shown = (value: unknown) =>
  value === undefined ? 'absent' : (JSON.stringify(value) ?? '').replace(/^(.{70}).+$/, '$1…')

const iss = (value: unknown, about = '', verifier: VerifierName = 'rs256') =>
  refused(
    'B-40 FL-36 FL-47',
    `iss ${shown(value)}${about}`,
    () => withClaims({ iss: value }),
    'wrong_issuer',
    verifier,
  )

const issuers: readonly Vector[] = [
  iss(undefined),
  ...[null, '', 7, true, {}, [], [issuer], { iss: issuer }].map((value) => iss(value)),
  iss(`${issuer}/`, ', a slash too many'),
  iss(issuer.toUpperCase(), ', in capitals'),
  iss('https://AS.example.com', ', the host in capitals'),
  iss('https://as.example.com:443', ', the port said'),
  iss('http://as.example.com', ', another scheme'),
  iss('as.example.com', ', without its scheme'),
  iss('https://as.example.com.', ', a dot too many'),
  iss('https://as.example.com/tenant', ', a path below'),
  iss('https://as.example.com?x=1', ', with a query'),
  iss('https://as.example.com#', ', with a fragment'),
  iss('https://user@as.example.com', ', with a user'),
  iss('https://as.example.com@stranger.example', ', as user of another host'),
  iss('https://as.example.com.stranger.example', ', as subdomain of another host'),
  iss('https://stranger.example/https://as.example.com', ', in the path of another host'),
  iss('https://stranger.example', ', another one'),
  iss(`${issuer} `, ', a blank behind'),
  iss(` ${issuer}`, ', a blank in front'),
  iss(`${issuer}\n`, ', a line break behind'),
  iss(`${issuer}\0`, ', a null character behind'),
  iss('https://%61s.example.com', ', a letter percent-encoded'),
  refused(
    'B-40',
    'iss with a Cyrillic letter that looks alike',
    () => withClaims({ iss: issuer.replace('a', '\u0430') }),
    'wrong_issuer',
  ),
  iss('*', ', a wildcard'),
  iss(`${issuer},https://as.example.com/other`, ', two in one text', 'two-issuers'),
  iss('https://as.example.com/othe', ', the beginning of one of two', 'two-issuers'),
  refused(
    'B-40',
    'iss a list where no issuer is configured',
    () => withClaims({ iss: [issuer] }),
    'wrong_issuer',
    'no-issuer',
  ),
  refused(
    'B-40',
    'iss empty where no issuer is configured',
    () => withClaims({ iss: '' }),
    'wrong_issuer',
    'open',
  ),
  refused(
    'B-34 B-40',
    'iss only in a claim __proto__',
    () =>
      withPayload(
        JSON.stringify({ ...goodClaims, iss: undefined }).replace('{', `{"__proto__":{"iss":"${issuer}"},`),
      ),
    'wrong_issuer',
  ),
  refused('B-40', 'no claims at all', () => withPayload('{}'), 'wrong_issuer'),
]

const aud = (value: unknown, about = '') =>
  refused(
    'B-41 B-43 FL-36',
    `aud ${shown(value)}${about}`,
    () => withClaims({ aud: value }),
    'wrong_audience',
  )

const audiences: readonly Vector[] = [
  aud(undefined),
  ...[null, '', 7, true, [], [[audience]], { 0: audience }, { aud: audience }].map((value) => aud(value)),
  aud([audience, 1], ', a number beside ours'),
  aud([audience, null], ', null beside ours'),
  aud([null, audience], ', null before ours'),
  aud([audience, [audience]], ', a list beside ours'),
  aud([audience, {}], ', an object beside ours'),
  aud(['https://other.example.com', 'https://another.example.com'], ', two others'),
  aud(`${audience}/`, ', a slash too many'),
  aud(`${audience}?x`, ', with a query'),
  aud(`${audience}#x`, ', with a fragment'),
  aud('https://mcp.example.com', ', the origin'),
  aud('https://mcp.example.com/', ', the path above'),
  aud('https://mcp.example.com/mcp/tools', ', a path below'),
  aud('https://mcp.example.com/mc', ', the beginning'),
  aud('https://mcp.example.com/MCP', ', the path in capitals'),
  aud('https://mcp.example.com:443/mcp', ', the port said'),
  aud('https://mcp.example.com:8443/mcp', ', another port'),
  aud('http://mcp.example.com/mcp', ', another scheme'),
  aud('HTTPS://mcp.example.com/mcp', ', the scheme in capitals'),
  aud('https://mcp.example.com/%6dcp', ', a letter percent-encoded'),
  aud('https://mcp.example.com/./mcp', ', another spelling of the path'),
  aud('mcp.example.com/mcp', ', without its scheme'),
  aud('*', ', a wildcard'),
  aud('https://*.example.com/mcp', ', a wildcard host'),
  aud('app-1', ', the client'),
  aud(issuer, ', the issuer'),
  aud(`${audience} https://other.example.com`, ', two in one text'),
  aud(` ${audience}`, ', a blank in front'),
  aud('https://sister.example.com/mcp', ', a sister service'),
  refused(
    'B-34 B-41',
    'aud only in a claim __proto__',
    () =>
      withPayload(
        JSON.stringify({ ...goodClaims, aud: undefined }).replace('{', `{"__proto__":{"aud":"${audience}"},`),
      ),
    'wrong_audience',
  ),
]

const who = (name: string, members: object, verifier: VerifierName = 'rs256') =>
  refused('B-49 B-50', name, () => withClaims(members), 'no_identity', verifier)

const identities: readonly Vector[] = [
  ...['', 1, null, true, ['user-1'], { sub: 'user-1' }].map((sub) => who(`sub ${shown(sub)}`, { sub })),
  who('sub of 256 letters', { sub: 'x'.repeat(256) }),
  who('neither subject nor client', { sub: undefined, client_id: undefined }),
  who('an empty sub and no client', { sub: '', client_id: undefined }),
  ...['', 7, null, ['app-1'], {}].map((id) => who(`client_id ${shown(id)}`, { client_id: id })),
  who('azp a list beside a good client_id', { azp: ['app-1'] }),
  who('azp empty, and no client_id', { client_id: undefined, azp: '' }),
  who('appid a number, and no client_id', { client_id: undefined, appid: 7 }),
  who('cid null, and no client_id', { client_id: undefined, cid: null }),
  refused(
    'B-34 B-49',
    'sub and client_id only in a claim __proto__',
    () =>
      withPayload(
        JSON.stringify({ ...goodClaims, sub: undefined, client_id: undefined }).replace(
          '{',
          '{"__proto__":{"sub":"admin","client_id":"admin"},',
        ),
      ),
    'no_identity',
  ),
]

const rejected: readonly Vector[] = [
  refused('B-58', 'a foreign tenant', () => withClaims({ tid: 'tenant-2' }), 'rejected', 'tenant'),
  refused('B-58', 'no tenant', () => withClaims({}), 'rejected', 'tenant'),
  refused('B-58', 'a tenant in other case', () => withClaims({ tid: 'TENANT-1' }), 'rejected', 'tenant'),
  refused('B-58', 'the tenant in a list', () => withClaims({ tid: ['tenant-1'] }), 'rejected', 'tenant'),
  refused(
    'B-34 B-58',
    'the tenant only in a claim __proto__',
    () => withPayload(JSON.stringify(goodClaims).replace('{', '{"__proto__":{"tid":"tenant-1"},')),
    'rejected',
    'tenant',
  ),
  refused(
    'B-58 FL-42',
    'the right tenant, expired',
    () => withClaims({ tid: 'tenant-1', exp: now - 60, iat: undefined }),
    'expired',
    'tenant',
  ),
  refused(
    'B-58 FL-36',
    'the right tenant, made for another service',
    () => withClaims({ tid: 'tenant-1', aud: 'https://other.example.com' }),
    'wrong_audience',
    'tenant',
  ),
]

const header = { alg: 'RS256', typ: 'at+jwt' }
const complete = { ...goodClaims, jti: 'token-1' }
const profile: readonly Vector[] = [
  ...(['sub', 'client_id', 'iat', 'jti', 'exp'] as const).map((name) =>
    refused(
      'B-25 B-45',
      `no ${name} where the rfc9068 profile asks for it`,
      () => signed(header, { ...complete, [name]: undefined }),
      'missing_claim',
      'rfc9068',
    ),
  ),
  refused(
    'B-40',
    'no iss where the rfc9068 profile asks for it',
    () => signed(header, { ...complete, iss: undefined }),
    'wrong_issuer',
    'rfc9068',
  ),
  refused(
    'B-41',
    'no aud where the rfc9068 profile asks for it',
    () => signed(header, { ...complete, aud: undefined }),
    'wrong_audience',
    'rfc9068',
  ),
  refused(
    'B-50',
    'azp in place of client_id where the rfc9068 profile asks for it',
    () => signed(header, { ...complete, client_id: undefined, azp: 'app-1' }),
    'missing_claim',
    'rfc9068',
  ),
]

export const claims: readonly Vector[] = [...issuers, ...audiences, ...identities, ...rejected, ...profile]
