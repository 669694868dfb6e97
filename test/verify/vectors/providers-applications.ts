import { now } from '../forge.ts'
import { hour, member, type Provider } from './provider.ts'

const googleProject = 'example-project'
export const google: Provider = {
  about: 'Google Identity Platform and Firebase',
  // What it issues for one's own backend is an ID token, made for the project: here it is the access token.
  options: {
    issuer: `https://securetoken.google.com/${googleProject}`,
    audience: googleProject,
    rules: { validate: (claims) => member(claims.firebase, 'tenant') === 'tenant-a' },
  },
  header: { typ: 'JWT', kid: '1bb9605c36e98e30117a69517569386830202b2d' },
  claims: {
    iss: `https://securetoken.google.com/${googleProject}`,
    aud: googleProject,
    auth_time: now - 300,
    user_id: 'T7x1',
    sub: 'T7x1',
    ...hour,
    email: 'alice@example.com',
    email_verified: true,
    firebase: {
      identities: { email: ['alice@example.com'] },
      sign_in_provider: 'password',
      tenant: 'tenant-a',
    },
  },
  expects: { subject: 'T7x1', clientId: 'T7x1', scopes: [] },
  refused: [
    {
      name: 'of another project',
      claims: { iss: 'https://securetoken.google.com/other-project', aud: 'other-project' },
      reason: 'wrong_issuer',
    },
    { name: 'for another project', claims: { aud: 'other-project' }, reason: 'wrong_audience' },
    {
      name: 'a session cookie',
      claims: { iss: `https://session.firebase.google.com/${googleProject}` },
      reason: 'wrong_issuer',
    },
    {
      name: 'a custom token',
      claims: {
        iss: 'admin@example-project.iam.gserviceaccount.com',
        aud: 'https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit',
      },
      reason: 'wrong_issuer',
    },
    {
      name: 'an ID token of a Google account',
      claims: { iss: 'https://accounts.google.com', aud: '1234.apps.googleusercontent.com' },
      reason: 'wrong_issuer',
    },
    {
      name: 'of another tenant of the project',
      claims: { firebase: { sign_in_provider: 'password', tenant: 'tenant-b' } },
      reason: 'rejected',
    },
  ],
}

const supabaseIssuer = 'https://abcdefghijklmnopqrst.supabase.co/auth/v1'
const supabaseClaims = {
  iss: supabaseIssuer,
  aud: 'authenticated',
  ...hour,
  sub: '123e4567-e89b-12d3-a456-426614174000',
  role: 'authenticated',
  aal: 'aal1',
  session_id: '6f1b1a52-6f9c-4d07-9b65-1d2f5c8c0a11',
  email: 'alice@example.com',
  phone: '',
  is_anonymous: false,
  app_metadata: { provider: 'email' },
  user_metadata: {},
  amr: [{ method: 'password', timestamp: now - 300 }],
}
const supabaseIdentity = { subject: supabaseClaims.sub, clientId: supabaseClaims.sub, scopes: [] }
export const supabase: Provider = {
  about: 'Supabase, the shared secret',
  options: {
    issuer: supabaseIssuer,
    audience: 'authenticated',
    algorithm: 'HS256',
    rules: { validate: (claims) => claims.role === 'authenticated' && claims.is_anonymous === false },
  },
  header: { typ: 'JWT', kid: 'kR5k2' },
  claims: supabaseClaims,
  expects: supabaseIdentity,
  refused: [
    {
      name: 'the anon key, signed with the same secret',
      claims: { iss: 'supabase', ref: 'abcdefghijklmnopqrst', role: 'anon', aud: undefined, sub: undefined },
      reason: 'wrong_issuer',
    },
    {
      name: 'the service_role key, signed with the same secret',
      claims: {
        iss: 'supabase',
        ref: 'abcdefghijklmnopqrst',
        role: 'service_role',
        aud: undefined,
        sub: undefined,
      },
      reason: 'wrong_issuer',
    },
    { name: 'of somebody who did not sign in', claims: { is_anonymous: true }, reason: 'rejected' },
    { name: 'with another role', claims: { role: 'service_role' }, reason: 'rejected' },
    { name: 'for the audience anon', claims: { aud: 'anon' }, reason: 'wrong_audience' },
    {
      name: 'of another project',
      claims: { iss: 'https://zyxwvutsrqponmlkjihg.supabase.co/auth/v1' },
      reason: 'wrong_issuer',
    },
  ],
}

export const supabaseKeys: Provider = {
  about: 'Supabase, asymmetric signing keys',
  options: { issuer: supabaseIssuer, audience: 'authenticated', algorithm: 'ES256' },
  header: { typ: 'JWT', kid: 'b81269f1-21d8-4f2e-b719-c2240a840d90' },
  claims: supabaseClaims,
  expects: supabaseIdentity,
  refused: [
    {
      name: 'with the algorithm of the old secret in its header',
      header: { alg: 'HS256' },
      reason: 'algorithm_not_allowed',
    },
    { name: 'for the audience anon', claims: { aud: 'anon' }, reason: 'wrong_audience' },
    {
      name: 'of another project',
      claims: { iss: 'https://zyxwvutsrqponmlkjihg.supabase.co/auth/v1' },
      reason: 'wrong_issuer',
    },
  ],
}

export const workos: Provider = {
  about: 'WorkOS AuthKit',
  // Its tokens carry no aud; the key set is that of one client.
  options: {
    issuer: 'https://api.workos.com/',
    rules: {
      validate: ({ org_id }) => org_id === 'org_01HXYZ',
      scopesFrom: ({ permissions }) => permissions,
    },
  },
  header: { kid: 'sso_oidc_key_pair_01HXYZ' },
  claims: {
    iss: 'https://api.workos.com/',
    sub: 'user_01HXYZ',
    sid: 'session_01HXYZ',
    jti: '01HXYZ',
    org_id: 'org_01HXYZ',
    role: 'member',
    roles: ['member'],
    permissions: ['items:read'],
    ...hour,
  },
  expects: { subject: 'user_01HXYZ', clientId: 'user_01HXYZ', scopes: ['items:read'] },
  refused: [
    { name: 'of another organization', claims: { org_id: 'org_01OTHER' }, reason: 'rejected' },
    {
      name: 'of a user without an organization',
      claims: { org_id: undefined, role: undefined, permissions: undefined },
      reason: 'rejected',
    },
    {
      name: 'of a custom authentication domain',
      claims: { iss: 'https://auth.example.com/' },
      reason: 'wrong_issuer',
    },
    { name: 'with permissions that are a number', claims: { permissions: 3 }, reason: 'invalid_scope' },
  ],
  without: { 'rules.scopesFrom': { scopes: [] } },
}

const clerkIssuer = 'https://clerk.example.com'
export const clerk: Provider = {
  about: 'Clerk, a session token',
  // No aud; azp is the origin of the page that asked for the token.
  options: {
    issuer: clerkIssuer,
    rules: { validate: ({ azp, sts }) => azp === 'https://app.example.com' && sts !== 'pending' },
  },
  header: { typ: 'JWT', cat: 'cl_B7d4PD111AAA', kid: 'ins_2abc' },
  claims: {
    azp: 'https://app.example.com',
    ...hour,
    exp: now + 60,
    fva: [7, -1],
    iss: clerkIssuer,
    jti: 'a1b2c3',
    nbf: now - 130,
    o: { id: 'org_123', rol: 'member', slg: 'example' },
    sid: 'sess_123',
    sts: 'active',
    sub: 'user_123',
    v: 2,
  },
  expects: { subject: 'user_123', clientId: 'https://app.example.com', scopes: [] },
  refused: [
    { name: 'of another origin', claims: { azp: 'https://stranger.example' }, reason: 'rejected' },
    { name: 'without azp', claims: { azp: undefined }, reason: 'rejected' },
    { name: 'of a session that is not complete', claims: { sts: 'pending' }, reason: 'rejected' },
    {
      name: 'of the development instance',
      claims: { iss: 'https://clean-mayfly-62.clerk.accounts.dev' },
      reason: 'wrong_issuer',
    },
    { name: 'not valid yet', claims: { nbf: now + 120, exp: now + 180 }, reason: 'not_yet_valid' },
  ],
}
