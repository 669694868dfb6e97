import type { FindingText } from '../finding.ts'
import { errorHandling, misconfiguration, rfc } from './citations.ts'

const use401 = 'Answer 401 with a WWW-Authenticate header; clients then know that a token is what is missing.'

const demand401 = 'A request without a token, or with one that is not good, is answered with 401.'

/** How the server says no. */
export const refusalTexts = {
  'refused-with-403': {
    severity: 'serious',
    title: 'A request without a token is answered with 403 instead of 401.',
    demand: `${demand401} 403 is for a token that is good and not enough.`,
    citation: errorHandling,
    fix: use401,
  },
  'refused-with-400': {
    severity: 'serious',
    title: 'A request without a token is answered with 400 instead of 401.',
    demand: `${demand401} 400 is for requests that are malformed.`,
    citation: errorHandling,
    fix: use401,
  },
  'refused-with-200': {
    severity: 'serious',
    title: 'A request without a token is answered with 200, as if all were well.',
    demand: demand401,
    citation: errorHandling,
    fix: use401,
  },
  'refused-with-redirect': {
    severity: 'serious',
    title: 'A request without a token is sent to another address instead of 401.',
    demand: `${demand401} Programs cannot fill in a login page.`,
    citation: errorHandling,
    fix: use401,
  },
  'refused-with-another-status': {
    severity: 'serious',
    title: 'A request without a token is not answered with 401.',
    demand: demand401,
    citation: errorHandling,
    fix: use401,
  },
  'no-challenge': {
    severity: 'serious',
    title: 'The 401 does not say how to sign in.',
    demand: 'A 401 has a WWW-Authenticate header with at least one challenge.',
    citation: rfc(9110, '15.5.2'),
    fix: 'Add `WWW-Authenticate: Bearer realm="…"`, with `resource_metadata` where there is an authorization server.',
  },
  'challenge-without-bearer': {
    severity: 'serious',
    title: 'The 401 asks for something that is no bearer token.',
    demand: 'A resource that takes bearer tokens challenges with the scheme Bearer.',
    citation: rfc(6750, '3'),
    fix: 'Write the challenge as `Bearer realm="…"`. Beside it others may stand.',
  },
  'bare-bearer': {
    severity: 'serious',
    title: 'The challenge has no parameter.',
    demand: 'The scheme Bearer is followed by one or more parameters.',
    citation: rfc(6750, '3'),
    fix: 'Write `Bearer realm="…"` instead of `Bearer`.',
  },
  'malformed-challenge': {
    severity: 'serious',
    title: 'The challenge cannot be read by every client.',
    demand: 'A challenge is a scheme and a list of name="value"; what is no single word stands in quotes.',
    citation: rfc(9110, '11.6.1'),
    fix: 'Put the values in double quotes, and commas between the parameters.',
  },
  'repeated-parameter': {
    severity: 'serious',
    title: 'The challenge names a parameter twice.',
    demand: 'A parameter occurs once in a challenge.',
    citation: rfc(9110, '11.2'),
    fix: 'Write each parameter once; several scopes stand in one value, with blanks between them.',
  },
  'error-without-credentials': {
    severity: 'minor',
    title: 'The challenge speaks of an error where there was no token.',
    demand: 'Who sent no credentials should be told of no error code.',
    citation: rfc(6750, '3.1'),
    fix: 'Leave `error` and `error_description` out when the request had no credentials.',
  },
  'refusal-not-json': {
    severity: 'note',
    title: 'The body of the 401 is no JSON.',
    demand: 'Nothing demands it. Several clients read the body of a refusal as JSON.',
    citation: rfc(6750, '3'),
    fix: 'A body such as {"error":"unauthorized"} helps those clients.',
  },
  'cacheable-refusal': {
    severity: 'note',
    title: 'The 401 does not say that it must not be stored.',
    demand: 'Caches rarely keep a 401. `Cache-Control: no-store` forbids it.',
    citation: rfc(9111, '5.2.2.5'),
    fix: 'Add `Cache-Control: no-store` to refusals.',
  },
  'bad-token-status': {
    severity: 'serious',
    title: 'A token that is not good is not answered with 401.',
    demand: demand401,
    citation: rfc(6750, '3.1'),
    fix: 'Answer 401 with `error="invalid_token"`; clients then get a new token and try again.',
  },
  'no-invalid-token': {
    severity: 'minor',
    title: 'The challenge does not say that the token was the problem.',
    demand: 'Where a token was sent and not accepted, the challenge should have an error: invalid_token.',
    citation: rfc(6750, '3'),
    fix: 'Add `error="invalid_token"` to the challenge when a token was sent.',
  },
  'leaks-details': {
    severity: 'minor',
    title: 'The refusal tells how tokens are checked, or repeats them.',
    demand:
      'Errors say no more than the caller needs: no exception texts, nothing of the token or of what was expected.',
    citation: misconfiguration,
    fix: 'Answer every bad token with the same fixed text, and write the reason to the log of the server.',
  },
  'bad-tokens-differ': {
    severity: 'minor',
    title: 'Different bad tokens get different answers.',
    demand: 'What exactly is wrong with a token is of use to who makes them up.',
    citation: misconfiguration,
    fix: 'Answer every bad token with the same fixed text.',
  },
} as const satisfies Readonly<Record<string, FindingText>>
