import type { Check } from '../check.ts'
import { alteredToken, tokenClaims } from './altered-token.ts'
import { answers, bigBody, publicPages } from './answers.ts'
import { badTokens } from './bad-tokens.ts'
import { challenge } from './challenge.ts'
import { metadata } from './metadata.ts'
import { noToken } from './no-token.ts'
import { bodyToken, otherCredentials, queryToken } from './other-credentials.ts'
import { otherDoors, otherSpellings, otherVerbs, sessionAlone } from './other-doors.ts'
import { reach } from './reach.ts'
import { sessionIds } from './session-ids.ts'
import { foreignOrigin, preflight } from './web-pages.ts'
import { otherScheme, schemeCase, twoCredentials, yourToken } from './your-token.ts'

/** Every check, in the order they run: what a server is stopped at comes before what it may be tired of. */
export const checks: readonly Check[] = Object.freeze([
  reach,
  noToken,
  challenge,
  yourToken,
  schemeCase,
  otherScheme,
  tokenClaims,
  otherCredentials,
  otherVerbs,
  sessionAlone,
  sessionIds,
  otherSpellings,
  otherDoors,
  preflight,
  foreignOrigin,
  metadata,
  badTokens,
  alteredToken,
  twoCredentials,
  queryToken,
  bodyToken,
  bigBody,
  publicPages,
  answers,
])
