import type { JwtVerifierOptions } from 'mcp-bearer/verify'
import { ecdsa, forgeWith, hmac, pkcs1 } from '../forge.ts'
import { p256, publicJwk, rsa, secret } from './material.ts'
import { commonChanges, type Provider } from './provider.ts'
import * as applications from './providers-applications.ts'
import * as entra from './providers-entra.ts'
import * as hosted from './providers-hosted.ts'
import * as ownServer from './providers-own-server.ts'
import { accepted, refused, type Vector } from './vector.ts'

/** Access tokens as providers document them, by the name of the verifier that is set up for them. */
export const providers = {
  auth0: hosted.auth0,
  'auth0-rfc9068': hosted.auth0Profile,
  'entra-v2': entra.entraDelegated,
  'entra-v2-app': entra.entraApp,
  'entra-v1': entra.entraV1Token,
  okta: hosted.okta,
  'okta-org': hosted.oktaOrg,
  cognito: hosted.cognito,
  keycloak: ownServer.keycloak,
  zitadel: ownServer.zitadel,
  hydra: ownServer.hydra,
  google: applications.google,
  supabase: applications.supabase,
  'supabase-keys': applications.supabaseKeys,
  workos: applications.workos,
  clerk: applications.clerk,
  pingfederate: ownServer.pingFederate,
  pingone: hosted.pingOne,
} as const satisfies Readonly<Record<string, Provider>>

export type ProviderName = keyof typeof providers

const keysFor = {
  RS256: { key: { publicKey: publicJwk(rsa) }, sign: forgeWith(pkcs1(rsa.privateKey)) },
  ES256: { key: { publicKey: publicJwk(p256) }, sign: forgeWith(ecdsa(p256.privateKey)) },
  HS256: { key: { secret }, sign: forgeWith(hmac(secret)) },
}

function algorithmOf({ options }: Provider): keyof typeof keysFor {
  const algorithm = options.algorithm ?? 'RS256'
  if (algorithm in keysFor) return algorithm as keyof typeof keysFor
  throw new Error('no key for this algorithm')
}

/** The options with their key: what a user would write, were the key set not fetched. */
export function optionsOf(provider: Provider): JwtVerifierOptions {
  return { ...keysFor[algorithmOf(provider)].key, ...provider.options }
}

/** A token of the provider, some members changed. */
export function tokenOf(provider: Provider, claims: object = {}, header: object = {}): string {
  const alg = algorithmOf(provider)
  return keysFor[alg].sign({ alg, ...provider.header, ...header }, { ...provider.claims, ...claims })
}

const entries = Object.entries(providers) as [ProviderName, Provider][]

export const providerVerifiers = Object.fromEntries(
  entries.map(([name, provider]) => [name, { about: provider.about, options: optionsOf(provider) }]),
) as Readonly<Record<ProviderName, { readonly about: string; readonly options: JwtVerifierOptions }>>

const ids = 'FL-48 B-58'

/** The good token of each provider, and the same with one small thing changed. */
export const ofProviders: readonly Vector[] = entries.flatMap(([name, provider]) => [
  accepted(ids, `${provider.about}: an access token`, () => tokenOf(provider), provider.expects, name),
  ...[...provider.refused, ...commonChanges].map((change) =>
    refused(
      ids,
      `${provider.about}: ${change.name}`,
      () => tokenOf(provider, change.claims, change.header),
      change.reason,
      name,
    ),
  ),
])
