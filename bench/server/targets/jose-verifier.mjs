// The check of a token that everybody but this package makes, as the documentation of jose says.

/** @returns resolves with the claims of a good token. @throws (asynchronously) what jose throws, for any other */
export function joseVerifier({ createLocalJWKSet, jwtVerify }, { jwk, issuer, audience }) {
  const keys = createLocalJWKSet({ keys: [jwk] })
  const options = { issuer, audience, algorithms: ['RS256'] }
  return async (token) => (await jwtVerify(token, keys, options)).payload
}

/** The credential of `Authorization: Bearer …`, `undefined` without one. */
export function bearerOf(header) {
  return /^Bearer (\S+)$/i.exec(header ?? '')?.[1]
}
