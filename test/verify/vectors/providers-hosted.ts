import { now } from '../forge.ts'
import { hour, type Provider } from './provider.ts'

export const auth0: Provider = {
  about: 'Auth0, an API with RBAC',
  options: {
    issuer: 'https://example.eu.auth0.com/',
    audience: 'https://mcp.example.com',
    rules: { scopesFrom: ({ permissions }) => permissions },
  },
  header: { typ: 'JWT', kid: 'NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2' },
  claims: {
    iss: 'https://example.eu.auth0.com/',
    sub: 'auth0|6553da60a54af58e29493993',
    aud: ['https://mcp.example.com', 'https://example.eu.auth0.com/userinfo'],
    ...hour,
    azp: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja',
    scope: 'openid profile read:items',
    permissions: ['read:items', 'write:items'],
  },
  expects: {
    subject: 'auth0|6553da60a54af58e29493993',
    clientId: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja',
    scopes: ['read:items', 'write:items'],
  },
  refused: [
    {
      name: 'an ID token',
      claims: { aud: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja', permissions: undefined, nonce: 'n' },
      reason: 'wrong_audience',
    },
    {
      name: 'for the userinfo endpoint alone',
      claims: { aud: 'https://example.eu.auth0.com/userinfo' },
      reason: 'wrong_audience',
    },
    { name: 'of another tenant', claims: { iss: 'https://example.us.auth0.com/' }, reason: 'wrong_issuer' },
    {
      name: 'with an issuer that lacks its slash',
      claims: { iss: 'https://example.eu.auth0.com' },
      reason: 'wrong_issuer',
    },
    {
      name: 'with permissions that are no list',
      claims: { permissions: { 'read:items': true } },
      reason: 'invalid_scope',
    },
  ],
  without: { 'rules.scopesFrom': { scopes: ['openid', 'profile', 'read:items'] } },
}

export const auth0Profile: Provider = {
  about: 'Auth0, the RFC 9068 profile',
  options: {
    issuer: auth0.options.issuer ?? '',
    audience: 'https://mcp.example.com',
    rules: { profile: 'rfc9068' },
  },
  header: { typ: 'at+jwt', kid: 'NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2' },
  claims: {
    iss: 'https://example.eu.auth0.com/',
    sub: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja@clients',
    aud: 'https://mcp.example.com',
    ...hour,
    client_id: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja',
    jti: 'O6sYmxnBsMOzWX1xQBKm8v',
    scope: 'read:items',
  },
  expects: {
    subject: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja@clients',
    clientId: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja',
    scopes: ['read:items'],
  },
  refused: [
    {
      name: 'in the other profile of Auth0',
      header: { typ: 'JWT' },
      claims: { client_id: undefined, azp: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja' },
      reason: 'wrong_type',
    },
    { name: 'without jti', claims: { jti: undefined }, reason: 'missing_claim' },
    { name: 'for another API', claims: { aud: 'https://api.example.com' }, reason: 'wrong_audience' },
  ],
}

const oktaIssuer = 'https://example.okta.com/oauth2/default'
export const okta: Provider = {
  about: 'Okta, a custom authorization server',
  options: { issuer: oktaIssuer, audience: 'api://mcp' },
  header: { kid: 'ZkvelLN_seik7w4pc_prCcfUf-h2hFfiwkDeCrs0iUc' },
  claims: {
    ver: 1,
    jti: 'AT.MNAoEQ_jbKqoinrQo1D0XKjMX28U5d7ZszBceot7-Ts',
    iss: oktaIssuer,
    aud: 'api://mcp',
    ...hour,
    cid: '0oa1b2c3d4e5f6g7h8i9',
    uid: '00u1b2c3d4e5f6g7h8i9',
    scp: ['openid', 'items:read'],
    auth_time: now - 300,
    sub: 'alice@example.com',
  },
  expects: {
    subject: 'alice@example.com',
    clientId: '0oa1b2c3d4e5f6g7h8i9',
    scopes: ['openid', 'items:read'],
  },
  refused: [
    {
      name: 'an ID token',
      claims: {
        aud: '0oa1b2c3d4e5f6g7h8i9',
        jti: 'ID.radCQMOQUmyv',
        scp: undefined,
        cid: undefined,
        at_hash: 'x',
      },
      reason: 'wrong_audience',
    },
    {
      name: 'of the org authorization server',
      claims: { iss: 'https://example.okta.com', aud: 'https://example.okta.com' },
      reason: 'wrong_issuer',
    },
    {
      name: 'with the type of the org authorization server',
      header: { typ: 'application/okta-internal-at+jwt' },
      reason: 'wrong_type',
    },
    { name: 'for another API', claims: { aud: 'api://default' }, reason: 'wrong_audience' },
    { name: 'with a scope that is no text', claims: { scp: ['openid', 7] }, reason: 'invalid_scope' },
  ],
}

export const oktaOrg: Provider = {
  about: 'Okta, the org authorization server',
  options: {
    issuer: 'https://example.okta.com',
    audience: 'https://example.okta.com',
    rules: { types: ['application/okta-internal-at+jwt'] },
  },
  header: { kid: 'ZkvelLN_seik7w4pc_prCcfUf-h2hFfiwkDeCrs0iUc', typ: 'application/okta-internal-at+jwt' },
  claims: {
    ...okta.claims,
    iss: 'https://example.okta.com',
    aud: 'https://example.okta.com',
    scp: ['openid', 'groups'],
  },
  expects: { subject: 'alice@example.com', clientId: '0oa1b2c3d4e5f6g7h8i9', scopes: ['openid', 'groups'] },
  refused: [
    {
      name: 'an ID token, which has no typ',
      header: { typ: undefined },
      claims: { aud: '0oa1b2c3d4e5f6g7h8i9', jti: 'ID.radCQMOQUmyv' },
      reason: 'wrong_type',
    },
    { name: 'typed JWT', header: { typ: 'JWT' }, reason: 'wrong_type' },
    { name: 'of a custom authorization server', claims: { iss: oktaIssuer }, reason: 'wrong_issuer' },
  ],
  without: { 'rules.types': 'wrong_type' },
}

const cognitoIssuer = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example'
export const cognito: Provider = {
  about: 'Amazon Cognito',
  // Its access tokens carry no aud: the client takes its place.
  options: {
    issuer: cognitoIssuer,
    rules: { validate: (claims) => claims.client_id === '1example23456789' && claims.token_use === 'access' },
  },
  header: { kid: '1234example=' },
  claims: {
    sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    'cognito:groups': ['testgroup'],
    iss: cognitoIssuer,
    version: 2,
    client_id: '1example23456789',
    origin_jti: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    event_id: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    token_use: 'access',
    scope: 'openid mcp/items.read',
    auth_time: now - 300,
    ...hour,
    jti: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    username: 'alice',
  },
  expects: {
    subject: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    clientId: '1example23456789',
    scopes: ['openid', 'mcp/items.read'],
  },
  refused: [
    {
      name: 'an ID token',
      claims: { token_use: 'id', aud: '1example23456789', client_id: undefined, scope: undefined },
      reason: 'not_an_access_token',
    },
    {
      name: 'an ID token without token_use',
      claims: { token_use: undefined, aud: '1example23456789' },
      reason: 'rejected',
    },
    { name: 'of another client', claims: { client_id: '9example87654321' }, reason: 'rejected' },
    {
      name: 'of another user pool',
      claims: { iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_another' },
      reason: 'wrong_issuer',
    },
    {
      name: 'of another region',
      claims: { iss: 'https://cognito-idp.us-east-1.amazonaws.com/eu-central-1_example' },
      reason: 'wrong_issuer',
    },
  ],
}

export const pingOne: Provider = {
  about: 'PingOne, client credentials',
  options: {
    issuer: 'https://auth.pingone.eu/0f0a1b2c-0000-0000-0000-000000000001/as',
    audience: 'https://mcp.example.com',
  },
  header: { kid: 'default' },
  claims: {
    client_id: '5a0b1c2d-0000-0000-0000-000000000001',
    iss: 'https://auth.pingone.eu/0f0a1b2c-0000-0000-0000-000000000001/as',
    ...hour,
    aud: ['https://mcp.example.com'],
    scope: 'items:read',
  },
  expects: { subject: undefined, clientId: '5a0b1c2d-0000-0000-0000-000000000001', scopes: ['items:read'] },
  refused: [
    {
      name: 'of another environment',
      claims: { iss: 'https://auth.pingone.eu/0f0a1b2c-0000-0000-0000-000000000009/as' },
      reason: 'wrong_issuer',
    },
    { name: 'for the API of PingOne', claims: { aud: ['https://api.pingone.eu'] }, reason: 'wrong_audience' },
    { name: 'without a client', claims: { client_id: undefined }, reason: 'no_identity' },
  ],
}
