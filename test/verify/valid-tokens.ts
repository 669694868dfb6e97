import fc from 'fast-check'
import { audience, issuer, now } from './forge.ts'

/** A token that must pass, before it is signed. */
export interface Good {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  /** Seed of the spelling. */
  readonly spelling: number
}

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
const scopeToken = fc
  .array(fc.constantFrom(...'!#$%&()*+,-./09:;<=>?@AZ[]^_`az{|}~'), { minLength: 1, maxLength: 12 })
  .map((characters) => characters.join(''))

/** Any JSON value that is nested at most this deep; some texts look like what is checked elsewhere. */
const anything = fc.oneof(
  { arbitrary: fc.jsonValue({ maxDepth: 3 }), weight: 3 },
  {
    arbitrary: fc.constantFrom<unknown>(
      audience,
      'none',
      'admin',
      null,
      1e21,
      -0,
      5e-324,
      '\u2028',
      '\ud800',
    ),
    weight: 1,
  },
  { arbitrary: fc.integer({ min: 1, max: 30 }).map(nestedLists), weight: 1 },
)

function nestedLists(depth: number): unknown {
  return Array.from({ length: depth - 1 }).reduce<unknown>((inside) => [inside], [])
}

/** Names that mean something here, and are given below. */
const reserved = new Set([
  ...['iss', 'aud', 'sub', 'client_id', 'azp', 'appid', 'cid', 'exp', 'nbf', 'iat', 'scope', 'scp'],
  ...['typ', 'token_use', 'cnf'],
  ...['alg', 'crit', 'b64', 'kid', 'cty'],
])
const unknownMembers = fc.dictionary(
  fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', '', 'then', 'toJSON', '0', 'Exp')),
  anything,
  { maxKeys: 4 },
)
const onlyUnknown = (members: object) =>
  Object.fromEntries(Object.entries(members).filter(([name]) => !reserved.has(name)))

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const seconds = (min: number, max: number) =>
  fc.oneof(
    fc.integer({ min, max }),
    fc.constantFrom(min, max),
    fc.tuple(fc.integer({ min, max: max - 1 }), fraction).map(([whole, part]) => whole + part),
  )

/** With a clock skew of 60 seconds; `exp` always after `iat`. */
const times = fc
  .record(
    {
      exp: fc.oneof(seconds(now - 59, now + 100_000), fc.constant(253_402_300_799)),
      nbf: seconds(0, now + 60),
      iat: seconds(0, now + 60),
    },
    { requiredKeys: ['exp'] },
  )
  .filter(({ exp, iat = 0 }) => iat < exp)

const audiences = fc.oneof(
  fc.constant<string | string[]>(audience),
  fc
    .tuple(fc.array(text, { maxLength: 4 }), fc.nat(4))
    .map(([others, at]) => others.toSpliced(at, 0, audience)),
)

const identity = fc
  .record(
    {
      sub: fc.oneof(
        text,
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
        fc.constant('x'.repeat(255)),
      ),
      client_id: text,
      azp: text,
      appid: text,
      cid: text,
    },
    { requiredKeys: [] },
  )
  .filter((names) => Object.keys(names).length > 0)
  .filter(({ sub = '' }) => sub.length <= 255)

const scopes = fc.record(
  {
    scope: fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.array(scopeToken, { maxLength: 5 })),
    scp: fc.oneof(
      fc.array(scopeToken, { maxLength: 5 }).map((list) => list.join(' ')),
      fc.array(scopeToken),
    ),
  },
  { requiredKeys: [] },
)

/** What other kinds of tokens are told by, and these may have as well. */
const harmless = fc.record(
  {
    typ: fc.constantFrom<unknown>('Bearer', 'at', 'identity', '', null, 7, ['ID']),
    token_use: fc.constant('access'),
    cnf: fc.constantFrom<unknown>({}, { jwk: { kty: 'OKP' } }, { kid: 'x' }, { JKT: 'x' }),
  },
  { requiredKeys: [] },
)

const typ = fc.constantFrom(
  'JWT',
  'jwt',
  'jWt',
  'at+jwt',
  'AT+JWT',
  'application/at+jwt',
  'Application/AT+jwt',
)
const headers = fc
  .tuple(
    fc.record(
      { typ, kid: fc.oneof(text, fc.constant('')), cty: fc.constantFrom('json', '', 'JWT+x', 'text/jwt') },
      { requiredKeys: [] },
    ),
    fc.constantFrom<object>({}, {}, { b64: true }, { b64: true, crit: ['b64'] }),
    fc.constantFrom<object>(
      {},
      { jku: 'https://stranger.example/keys', x5u: 'https://stranger.example/chain' },
      { jwk: { kty: 'oct', k: 'AAAA' }, x5c: ['AAAA'], x5t: 'AAAA' },
    ),
    unknownMembers,
  )
  .map(([known, extension, keys, more]) => ({ ...onlyUnknown(more), ...keys, ...known, ...extension }))

/** Everything that the rules allow. */
export const goodToken: fc.Arbitrary<Good> = fc.record({
  header: headers,
  claims: fc.tuple(unknownMembers, times, audiences, identity, scopes, harmless).map(([more, ...known]) => {
    const [time, aud, ...rest] = known
    return { ...onlyUnknown(more), iss: issuer, ...time, aud, ...Object.assign({}, ...rest) }
  }),
  spelling: fc.nat(),
})
