import type { FindingText } from '../finding.ts'
import { rfc, tokenHandling, tokenRequirements } from './citations.ts'

/** What becomes of a token, and what it is like. */
export const tokenTexts = {
  'token-refused': {
    severity: 'serious',
    title: 'Your token is refused.',
    demand:
      'Nothing is wrong with the server if the token is not for it. What needs a good token was left out.',
    citation: rfc(6750, '3.1'),
    fix: 'Look at the token with `mcp-bearer token explain`: its expiry, issuer, audience and scopes are what servers refuse most often.',
  },
  'scheme-case': {
    severity: 'serious',
    title: 'The word Bearer is taken in one spelling only.',
    demand: 'The name of an authentication scheme is compared without regard to case.',
    citation: rfc(9110, '11.1'),
    fix: 'Compare the scheme in lower case.',
  },
  'two-credentials': {
    severity: 'minor',
    title: 'A request with two credentials is admitted.',
    demand:
      'There is one Authorization line, and one credential in it; more is malformed, and 400. Else two programs on the way may each take another one.',
    citation: rfc(6750, '3.1'),
    fix: 'Look at all lines of the header: in Node, `req.headersDistinct.authorization`. Refuse more than one, and a comma.',
  },
  'two-methods': {
    severity: 'note',
    title: 'A token in the header and one in the address are admitted together.',
    demand: 'One request uses one way to carry a token; a request with more is malformed, and 400.',
    citation: rfc(6750, '3.1'),
    fix: 'Refuse requests that have `access_token` in the query, too.',
  },
  'token-in-query': {
    severity: 'serious',
    title: 'The server looks for tokens in the address.',
    demand: 'Access tokens must not be in the query of a URL: it is logged, stored and passed on.',
    citation: tokenRequirements,
    fix: 'Take tokens from the Authorization header only.',
  },
  'token-in-cookie': {
    severity: 'serious',
    title: 'The server looks for tokens in cookies.',
    demand:
      'The access token is taken from the Authorization header. A browser sends cookies for every page that asks it to.',
    citation: tokenRequirements,
    fix: 'Take tokens from the Authorization header only.',
  },
  'token-in-body': {
    severity: 'minor',
    title: 'The server looks for tokens in the body.',
    demand:
      'The access token is taken from the Authorization header. Bodies are logged and passed on as messages.',
    citation: tokenRequirements,
    fix: 'Take tokens from the Authorization header only.',
  },
  'scheme-ignored': {
    severity: 'minor',
    title: 'Your token is taken without the word Bearer before it.',
    demand:
      'A bearer token stands behind the scheme Bearer; what another scheme carries means something else.',
    citation: rfc(6750, '2.1'),
    fix: 'Compare the whole scheme, up to the blank, and take nothing else.',
  },
  'token-case': {
    severity: 'minor',
    title: 'Your token is also taken in capitals.',
    demand:
      'A token is compared character by character; else there are many spellings of it, and it is easier to guess.',
    citation: rfc(6749, '10.10'),
    fix: 'Compare tokens exactly. A column of a database may ignore case without being asked to.',
  },
  'token-without-expiry': {
    severity: 'minor',
    title: 'Your token never expires.',
    demand: 'A JWT access token has an `exp`.',
    citation: rfc(9068, '2.2'),
    fix: 'Issue tokens with an expiry, and refuse JWTs without.',
  },
  'token-lives-long': {
    severity: 'minor',
    title: 'Your token is good for more than a day.',
    demand: 'Bearer tokens should be short-lived: an hour or less, where they leave the house.',
    citation: rfc(6750, '5.3'),
    fix: 'Issue tokens for an hour, and let clients renew them.',
  },
  'token-without-audience': {
    severity: 'serious',
    title: 'Your token is for no server in particular.',
    demand: 'Servers accept only tokens that were issued for them; a JWT says so in `aud`.',
    citation: tokenHandling,
    fix: 'Issue tokens with the address of the server as `aud`, and refuse others: `audience` of the verifier.',
  },
  'token-for-another-name': {
    severity: 'note',
    title: 'Your token is for a name that is not the address of the server.',
    demand: 'The audience of a token identifies the server. The usual name is its address.',
    citation: tokenHandling,
    fix: 'Nothing, if this is how the server is called. Else it takes tokens that are meant for another.',
  },
  'shared-secret': {
    severity: 'note',
    title: 'Your token is signed with a secret that the server shares.',
    demand:
      'Whoever can check such a token can make one; the secret needs at least as many random bytes as the hash.',
    citation: rfc(8725, '3.5'),
    fix: 'A key pair (RS256, ES256, EdDSA) leaves the server unable to make tokens.',
  },
} as const satisfies Readonly<Record<string, FindingText>>
