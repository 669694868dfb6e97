import { now } from '../forge.ts'
import { hour, type Provider } from './provider.ts'

const tenant = '11111111-2222-3333-4444-555555555555'
const otherTenant = '99999999-2222-3333-4444-555555555555'
const entraApi = 'aaaaaaaa-0000-0000-0000-000000000001'
const entraClient = 'aaaaaaaa-0000-0000-0000-000000000002'
const entraUser = {
  oid: 'bbbbbbbb-0000-0000-0000-000000000001',
  sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
}
const entraV2 = `https://login.microsoftonline.com/${tenant}/v2.0`
const entraV1 = `https://sts.windows.net/${tenant}/`
/** An access token of Entra says what is allowed; an ID token says neither. */
const isEntraAccess = (claims: Readonly<Record<string, unknown>>) =>
  claims.tid === tenant && (claims.scp !== undefined || claims.roles !== undefined)

export const entraDelegated: Provider = {
  about: 'Microsoft Entra ID v2.0, delegated',
  options: { issuer: entraV2, audience: entraApi, rules: { validate: isEntraAccess } },
  header: { typ: 'JWT', kid: 'nOo3ZDrODXEK1jKWhXslHR_KXEg' },
  claims: {
    aud: entraApi,
    iss: entraV2,
    ...hour,
    nbf: now - 120,
    azp: entraClient,
    azpacr: '0',
    name: 'Alice',
    preferred_username: 'alice@example.com',
    rh: '0.AAAA',
    scp: 'Items.Read Items.Write',
    tid: tenant,
    uti: 'x',
    ver: '2.0',
    ...entraUser,
  },
  expects: { subject: entraUser.sub, clientId: entraClient, scopes: ['Items.Read', 'Items.Write'] },
  refused: [
    {
      name: 'an ID token of the same registration',
      claims: { scp: undefined, nonce: 'n' },
      reason: 'rejected',
    },
    {
      name: 'an ID token of the client',
      claims: { aud: entraClient, scp: undefined },
      reason: 'wrong_audience',
    },
    {
      name: 'of another tenant',
      claims: { iss: `https://login.microsoftonline.com/${otherTenant}/v2.0`, tid: otherTenant },
      reason: 'wrong_issuer',
    },
    {
      name: 'with the tenant of another beside our issuer',
      claims: { tid: otherTenant },
      reason: 'rejected',
    },
    {
      name: 'with the issuer as a template',
      claims: { iss: 'https://login.microsoftonline.com/{tenantid}/v2.0' },
      reason: 'wrong_issuer',
    },
    { name: 'of v1.0', claims: { iss: entraV1, ver: '1.0' }, reason: 'wrong_issuer' },
    {
      name: 'for Microsoft Graph',
      claims: { aud: '00000003-0000-0000-c000-000000000000' },
      reason: 'wrong_audience',
    },
    { name: 'bound to a key', claims: { cnf: { jkt: 'x' } }, reason: 'sender_constrained' },
  ],
}

export const entraApp: Provider = {
  about: 'Microsoft Entra ID v2.0, app roles',
  options: {
    issuer: entraV2,
    audience: entraApi,
    rules: { validate: isEntraAccess, scopesFrom: ({ roles }) => roles },
  },
  header: entraDelegated.header,
  claims: {
    aud: entraApi,
    iss: entraV2,
    ...hour,
    nbf: now - 120,
    azp: entraClient,
    azpacr: '1',
    idtyp: 'app',
    oid: 'cccccccc-0000-0000-0000-000000000001',
    roles: ['Items.Read.All'],
    sub: 'cccccccc-0000-0000-0000-000000000001',
    tid: tenant,
    ver: '2.0',
  },
  expects: {
    subject: 'cccccccc-0000-0000-0000-000000000001',
    clientId: entraClient,
    scopes: ['Items.Read.All'],
  },
  refused: [
    { name: 'without roles', claims: { roles: undefined }, reason: 'rejected' },
    { name: 'with one role that is no list and no text', claims: { roles: 7 }, reason: 'invalid_scope' },
    {
      name: 'for another API',
      claims: { aud: 'aaaaaaaa-0000-0000-0000-000000000009' },
      reason: 'wrong_audience',
    },
  ],
  without: { 'rules.scopesFrom': { scopes: [] } },
}

export const entraV1Token: Provider = {
  about: 'Microsoft Entra ID v1.0, delegated',
  options: { issuer: entraV1, audience: [entraApi, `api://${entraApi}`], rules: { validate: isEntraAccess } },
  header: { typ: 'JWT', kid: 'nOo3ZDrODXEK1jKWhXslHR_KXEg', x5t: 'nOo3ZDrODXEK1jKWhXslHR_KXEg' },
  claims: {
    aud: `api://${entraApi}`,
    iss: entraV1,
    ...hour,
    nbf: now - 120,
    acr: '1',
    amr: ['pwd'],
    appid: entraClient,
    appidacr: '0',
    ipaddr: '192.0.2.1',
    scp: 'Items.Read',
    tid: tenant,
    unique_name: 'alice@example.com',
    upn: 'alice@example.com',
    ver: '1.0',
    ...entraUser,
  },
  expects: { subject: entraUser.sub, clientId: entraClient, scopes: ['Items.Read'] },
  refused: [
    {
      name: 'an ID token of the same registration',
      claims: { aud: entraApi, scp: undefined, appid: undefined },
      reason: 'rejected',
    },
    {
      name: 'of another tenant',
      claims: { iss: `https://sts.windows.net/${otherTenant}/`, tid: otherTenant },
      reason: 'wrong_issuer',
    },
    {
      name: 'for another API',
      claims: { aud: 'api://aaaaaaaa-0000-0000-0000-000000000009' },
      reason: 'wrong_audience',
    },
    { name: 'of v2.0', claims: { iss: entraV2, ver: '2.0' }, reason: 'wrong_issuer' },
  ],
}
