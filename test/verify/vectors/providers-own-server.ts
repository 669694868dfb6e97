import { now } from '../forge.ts'
import { hour, member, type Provider } from './provider.ts'

const zitadelProject = '289000000000000001'
const zitadelRoles = 'urn:zitadel:iam:org:project:roles'

const keycloakIssuer = 'https://sso.example.com/realms/demo'
export const keycloak: Provider = {
  about: 'Keycloak, with its default audience',
  options: {
    issuer: keycloakIssuer,
    audience: 'account',
    rules: {
      // Every client of the realm gets this audience: which one it is has to be asked.
      validate: ({ azp }) => azp === 'mcp-client',
      scopesFrom: (claims) => member(claims.realm_access, 'roles'),
    },
  },
  header: { typ: 'JWT', kid: 'nnniBrxL0qhG79pkF3ccQj_l0jDmxKrYYy2YLlEe1s' },
  claims: {
    ...hour,
    jti: 'd58f5dc8-fd8f-462b-8a19-716f8f83985b',
    iss: keycloakIssuer,
    aud: 'account',
    sub: '36fa0f91-f94d-4a0c-afed-6b7d952e47da',
    typ: 'Bearer',
    azp: 'mcp-client',
    sid: '2a88c258-f73a-4103-b862-e1fbd8f4e04e',
    acr: '1',
    'allowed-origins': ['https://app.example.com'],
    realm_access: { roles: ['offline_access', 'items-reader'] },
    resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
    scope: 'email profile',
    email_verified: true,
    preferred_username: 'alice',
  },
  expects: {
    subject: '36fa0f91-f94d-4a0c-afed-6b7d952e47da',
    clientId: 'mcp-client',
    scopes: ['offline_access', 'items-reader'],
  },
  refused: [
    { name: 'an ID token', claims: { typ: 'ID', aud: 'mcp-client', at_hash: 'x' }, reason: 'wrong_audience' },
    { name: 'an ID token for this audience', claims: { typ: 'ID' }, reason: 'not_an_access_token' },
    { name: 'a refresh token', claims: { typ: 'Refresh', aud: keycloakIssuer }, reason: 'wrong_audience' },
    { name: 'an offline token for this audience', claims: { typ: 'Offline' }, reason: 'not_an_access_token' },
    { name: 'of another client of the realm', claims: { azp: 'other-client' }, reason: 'rejected' },
    {
      name: 'of another realm',
      claims: { iss: 'https://sso.example.com/realms/master' },
      reason: 'wrong_issuer',
    },
    {
      name: 'with roles that are no list',
      claims: { realm_access: { roles: { admin: true } } },
      reason: 'invalid_scope',
    },
  ],
  without: { 'rules.scopesFrom': { scopes: ['email', 'profile'] } },
}

export const zitadel: Provider = {
  about: 'ZITADEL',
  options: {
    issuer: 'https://example.zitadel.cloud',
    audience: zitadelProject,
    rules: {
      // Its ID tokens have the same issuer and audience, and no jti.
      validate: ({ jti }) => typeof jti === 'string',
      scopesFrom: (claims) => Object.keys(claims[zitadelRoles] ?? {}),
    },
  },
  header: { typ: 'JWT', kid: '289000000000000009' },
  claims: {
    iss: 'https://example.zitadel.cloud',
    sub: '289000000000000002',
    aud: ['289000000000000003@mcp', zitadelProject],
    ...hour,
    nbf: now - 120,
    jti: 'V2_289000000000000004-at_289000000000000005',
    azp: '289000000000000003@mcp',
    [zitadelRoles]: { reader: { '289000000000000006': 'example.zitadel.cloud' } },
  },
  expects: { subject: '289000000000000002', clientId: '289000000000000003@mcp', scopes: ['reader'] },
  refused: [
    {
      name: 'an ID token',
      claims: { jti: undefined, at_hash: 'x', amr: ['pwd'], auth_time: now - 300 },
      reason: 'rejected',
    },
    {
      name: 'for another project',
      claims: { aud: ['289000000000000003@mcp', '289000000000000099'] },
      reason: 'wrong_audience',
    },
    { name: 'of another instance', claims: { iss: 'https://another.zitadel.cloud' }, reason: 'wrong_issuer' },
  ],
  without: { 'rules.scopesFrom': { scopes: [] } },
}

export const hydra: Provider = {
  about: 'Ory Hydra, the JWT strategy',
  options: { issuer: 'https://hydra.example.com', audience: 'https://mcp.example.com' },
  header: { typ: 'JWT', kid: 'public:hydra.jwt.access-token' },
  claims: {
    aud: ['https://mcp.example.com'],
    client_id: 'c3c0b0c5-7e2e-4d0a-9a6e-3d1d0a2f0f11',
    ext: {},
    ...hour,
    nbf: now - 120,
    iss: 'https://hydra.example.com',
    jti: 'e9b1b1a0-0e5e-4c8c-9b0a-0c6d8f7a6b5c',
    scp: ['items.read', 'offline'],
    sub: 'alice@example.com',
  },
  expects: {
    subject: 'alice@example.com',
    clientId: 'c3c0b0c5-7e2e-4d0a-9a6e-3d1d0a2f0f11',
    scopes: ['items.read', 'offline'],
  },
  refused: [
    { name: 'with no audience asked for', claims: { aud: [] }, reason: 'wrong_audience' },
    {
      name: 'an ID token',
      claims: {
        aud: ['c3c0b0c5-7e2e-4d0a-9a6e-3d1d0a2f0f11'],
        client_id: undefined,
        scp: undefined,
        at_hash: 'x',
      },
      reason: 'wrong_audience',
    },
    {
      name: 'with an issuer that has a slash too many',
      claims: { iss: 'https://hydra.example.com/' },
      reason: 'wrong_issuer',
    },
    { name: 'with scp a number', claims: { scp: 1 }, reason: 'invalid_scope' },
  ],
}

export const pingFederate: Provider = {
  about: 'PingFederate, scopes not delimited by spaces',
  options: { issuer: 'https://sso.example.com', audience: 'mcp' },
  header: { kid: 'k1', 'pi.atm': 'bph5' },
  claims: {
    scope: ['openid', 'items.read'],
    client_id: 'mcp_client',
    iss: 'https://sso.example.com',
    aud: 'mcp',
    ...hour,
    jti: 'Zz2kx',
    sub: 'alice',
    'pi.sri': 'x',
  },
  expects: { subject: 'alice', clientId: 'mcp_client', scopes: ['openid', 'items.read'] },
  refused: [
    { name: 'for another audience', claims: { aud: 'other' }, reason: 'wrong_audience' },
    {
      name: 'of another access token manager, without aud',
      claims: { aud: undefined },
      reason: 'wrong_audience',
    },
    {
      name: 'with two scopes in one member of the list',
      claims: { scope: ['openid items.read'] },
      reason: 'invalid_scope',
    },
    {
      name: 'an ID token',
      claims: { aud: 'mcp_client', client_id: undefined, scope: undefined, nonce: 'n' },
      reason: 'wrong_audience',
    },
  ],
}
