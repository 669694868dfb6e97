/**
 * An `OAuthClientProvider` that keeps everything in memory, and a person who agrees to whatever is asked: the page of
 * the authorization server is fetched, and where it leads back to is the answer.
 */
import { DpopSession } from '@modelcontextprotocol/client'

/** The document of a client whose id is its URL; the suite knows it. */
const clientMetadataUrl = 'https://conformance-test.local/client-metadata.json'
const redirectUrl = 'http://localhost:3000/callback'

/**
 * @param options `client`: `{ client_id, client_secret }` when the client is registered already; `dpop`: whether tokens
 *   are bound to a key
 * @returns `{ provider, callback }` for `oauth()`
 */
export function person({ client, dpop = false } = {}) {
  const registrations = new Map()
  let tokens
  let verifier
  let answer
  let session
  const provider = {
    redirectUrl,
    ...(client === undefined && { clientMetadataUrl }),
    clientMetadata: {
      client_name: 'conformance-client',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
    state: () => crypto.randomUUID(),
    clientInformation: ({ issuer } = {}) => client ?? registrations.get(issuer),
    saveClientInformation(information, { issuer } = {}) {
      if (client === undefined) registrations.set(issuer, information)
    },
    tokens: () => tokens,
    saveTokens(given) {
      tokens = given
    },
    async redirectToAuthorization(url) {
      const response = await fetch(url, { redirect: 'manual' })
      const location = response.headers.get('location')
      if (location === null) throw new Error(`the authorization page answered ${response.status}`)
      answer = new URL(location, url)
    },
    saveCodeVerifier(text) {
      verifier = text
    },
    codeVerifier: () => verifier,
    invalidateCredentials(what) {
      if (what === 'all' || what === 'tokens') tokens = undefined
    },
    ...(dpop && {
      async dpop() {
        session ??= await DpopSession.create({ alg: 'ES256' })
        return session
      },
    }),
  }
  return { provider, callback: async () => answer }
}
