import { goodClaims, now } from '../forge.ts'
import { claimAs, claimsText, withClaims, withPayload } from './tokens.ts'
import { refused, type Vector } from './vector.ts'
import type { VerifierName } from './verifiers.ts'

/** The claim as it is written, which `JSON.stringify` would not always do. */
const written = (ids: string, name: 'exp' | 'iat', as: string, about = '') =>
  refused(ids, `${name} ${as}${about}`, () => withPayload(claimAs(name, as)), 'invalid_time')
const nbf = (as: string, about = '') =>
  refused('B-46 FL-35', `nbf ${as}${about}`, () => withPayload(claimsText(`"nbf":${as}`)), 'invalid_time')
const expired = (name: string, exp: number, verifier: VerifierName = 'rs256') =>
  refused('B-45 B-48 FL-35', name, () => withClaims({ exp, iat: undefined }), 'expired', verifier)

const notNumbers = ['"1800000300"', 'null', 'true', 'false', '[]', '[1800000300]', '{}', '""']
export const times: readonly Vector[] = [
  refused('B-45 FL-35', 'no exp', () => withClaims({ exp: undefined }), 'missing_claim'),
  refused(
    'B-34 B-45',
    'exp only in a claim __proto__',
    () =>
      withPayload(
        JSON.stringify({ ...goodClaims, exp: undefined }).replace('{', '{"__proto__":{"exp":1800000300},'),
      ),
    'missing_claim',
  ),
  expired('exp past by exactly the skew', now - 60),
  expired('exp past by more than the skew', now - 61),
  expired('exp past by an hour', now - 3600),
  expired('exp 0, which is not absent', 0),
  expired('exp 1', 1),
  expired('exp now, where the skew is 0', now, 'skew-0'),
  expired('exp past by 300 seconds, where the skew is 300', now - 300, 'skew-300'),
  expired('exp past, where exp is optional', now - 60, 'exp-optional'),
  expired('exp 0, where exp is optional', 0, 'exp-optional'),
  refused(
    'B-45',
    'exp past by the skew, written with a fraction',
    () => withPayload(claimAs('exp', `${now - 61}.999`)),
    'expired',
  ),
  refused(
    'FL-42',
    'expired, and without the scope that is needed',
    () => withClaims({ exp: now - 60, iat: undefined }),
    'expired',
    'scope-needed',
  ),
  ...notNumbers.map((as) => written('B-45 FL-35', 'exp', as)),
  written('B-45', 'exp', '-1'),
  written('B-45', 'exp', '1e999', ', which is read as infinity'),
  written('B-45', 'exp', '-1e999', ', which is read as minus infinity'),
  written('B-45', 'exp', '1800000300000', ', milliseconds'),
  written('B-45', 'exp', '253402300800', ', a second after the year 9999'),
  refused(
    'B-45',
    'exp null, where exp is optional',
    () => withPayload(claimAs('exp', 'null')),
    'invalid_time',
    'exp-optional',
  ),
  refused(
    'B-45',
    'exp a text, where exp is optional',
    () => withPayload(claimAs('exp', '"1800000300"')),
    'invalid_time',
    'exp-optional',
  ),
  refused('B-46 FL-35', 'nbf beyond the skew', () => withClaims({ nbf: now + 61 }), 'not_yet_valid'),
  refused('B-46', 'nbf in an hour', () => withClaims({ nbf: now + 3600, exp: now + 7200 }), 'not_yet_valid'),
  refused(
    'B-46 B-48',
    'nbf in a second, where the skew is 0',
    () => withClaims({ nbf: now + 1 }),
    'not_yet_valid',
    'skew-0',
  ),
  refused(
    'B-46',
    'nbf beyond the skew by a fraction',
    () => withClaims({ nbf: now + 60.5 }),
    'not_yet_valid',
  ),
  ...notNumbers.map((as) => nbf(as)),
  nbf('-1'),
  nbf('1e999', ', which is read as infinity'),
  nbf('1800000000000', ', milliseconds'),
  refused(
    'B-47 FL-35',
    'iat in the future, beyond the skew',
    () => withClaims({ iat: now + 61 }),
    'issued_in_future',
  ),
  refused(
    'B-47 B-48',
    'iat in a second, where the skew is 0',
    () => withClaims({ iat: now + 1 }),
    'issued_in_future',
    'skew-0',
  ),
  refused('B-47', 'exp equal to iat', () => withClaims({ iat: now, exp: now }), 'invalid_time'),
  refused('B-47', 'exp before iat', () => withClaims({ iat: now + 30, exp: now + 20 }), 'invalid_time'),
  ...notNumbers.map((as) => written('B-47', 'iat', as)),
  written('B-47', 'iat', '1799999880000', ', milliseconds'),
  refused(
    'B-47 B-48',
    'issued longer ago than maxTokenAge by exactly the skew',
    () => withClaims({ iat: now - 660 }),
    'too_old',
    'max-age',
  ),
  refused(
    'B-47',
    'issued longer ago than maxTokenAge',
    () => withClaims({ iat: now - 3600 }),
    'too_old',
    'max-age',
  ),
  refused(
    'B-47',
    'no iat where maxTokenAge asks for it',
    () => withClaims({ iat: undefined }),
    'too_old',
    'max-age',
  ),
  refused(
    'B-47',
    'old, and never expiring',
    () => withClaims({ iat: now - 3600, exp: undefined }),
    'too_old',
    'max-age-exp-optional',
  ),
  refused(
    'B-47',
    'a text as iat where maxTokenAge asks for it',
    () => withPayload(claimAs('iat', '"1799999990"')),
    'invalid_time',
    'max-age',
  ),
]
