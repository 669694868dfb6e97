import { type Mutation, pick, remove, set } from './draft.ts'
import { audience, issuer, now } from './forge.ts'

const json = (value: unknown): string => JSON.stringify(value)
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

/** Values, as they are spelt, that have surprised somebody: in the place of anything. */
export const oddValues: readonly string[] = [
  ...[null, true, false, 0, 1, -1, '', ' ', 'x', [], {}, [''], [null], [[]], ['x', 1], [{}], '\ud800'].map(
    json,
  ),
  // Objects that cannot be made a text, look like a list, or seem to be able to do something.
  ...['toString', 'valueOf', 'toJSON', 'then', 'length', 'constructor', 'Symbol.toPrimitive'].map((name) =>
    json({ [name]: 1 }),
  ),
  '{"toString":null,"valueOf":null}',
  '{"__proto__":null}',
  '{"__proto__":{"toString":1}}',
  // Numbers that are no seconds, and numbers that are no numbers any more.
  '1e400',
  '-1e400',
  '1e-400',
  '-0',
  `1${'0'.repeat(400)}`,
  `0.${'0'.repeat(340)}1`,
  '9007199254740993',
  json('\0'),
  json('\u2028'),
  json('🔑'),
  json('x'.repeat(255)),
  json('x'.repeat(256)),
  nested(28),
  nested(31),
  nested(32),
  nested(40),
]

/** Seconds beside `now` at which something changes, for one verifier or another, and a little before and after. */
/** Seconds that a number of this size can still tell apart. */
const tick = 2 ** -20

const moments = [0, 30, 60, 300, 600, 660, 900]
  .flatMap((seconds) => [seconds, -seconds])
  .flatMap((seconds) => [-1, -0.5, -tick, 0, tick, 0.5, 1].map((more) => now + seconds + more))
const otherTimes = [0, 1, now * 1000, 253_402_300_799, 253_402_300_800, 2 ** 31, 2 ** 32, 2 ** 53, -now]

const spellings: readonly ((time: number) => string)[] = [
  String,
  (time) => `${time}e0`,
  (time) => `${time}E+00`,
  (time) => `${time * 1000}e-3`,
  (time) => `${time / 1000}e3`,
  (time) => json(String(time)),
  (time) => `[${time}]`,
  (time) => json({ value: time }),
]

/** What others write into these claims, right and wrong. */
const variants: Readonly<Record<string, readonly unknown[]>> = {
  iss: [
    issuer,
    `${issuer}/`,
    issuer.toUpperCase(),
    `${issuer} `,
    [issuer],
    'https://other.example',
    '',
    null,
  ],
  aud: [
    audience,
    [audience],
    ['https://other.example', audience],
    [audience, 1],
    [[audience]],
    [],
    '',
    `${audience}/`,
    audience.toUpperCase(),
    'https://other.example',
    ['https://second.example'],
    { [audience]: true },
  ],
  sub: [
    'user-2',
    '',
    'x'.repeat(255),
    'x'.repeat(256),
    `${'🔑'.repeat(127)}x`,
    '🔑'.repeat(128),
    7,
    null,
    'ключ',
  ],
  client_id: ['app-2', '', 7, null, ['app-1']],
  azp: ['app-3', '', 7],
  appid: ['app-4', '', null],
  cid: ['app-5', '', true],
  scope: [
    '',
    'mcp:read',
    ' mcp:read  mcp:read ',
    'mcp:read\tmcp:admin',
    'mcp:admin',
    'MCP:READ',
    '*',
    'a"b',
    7,
    {},
  ],
  scp: ['mcp:admin', ['mcp:read'], ['mcp:read', 'mcp:admin'], ['mcp:read mcp:admin'], [''], [7], null, {}],
  typ: ['ID', 'Refresh', 'OFFLINE', 'logout', 'Bearer', 'id ', 7, null],
  token_use: ['access', 'id', 'Access', '', null],
  cnf: [{ jkt: 'x' }, { 'x5t#S256': 'x' }, { kid: 'x', jkt: null }, { jwk: {} }, {}, [], null, 'x'],
  tid: ['friend', 'stranger'],
  act: [{ sub: 'agent' }],
}

export const claimNames = [...Object.keys(variants), 'exp', 'nbf', 'iat', 'jti']
const strangeNames = [
  '__proto__',
  'constructor',
  'toString',
  'then',
  '',
  '\0',
  '🔑',
  '\ud83d',
  'Aud',
  'exp ',
  '0',
]

/** Changes of what the payload says. Several of them leave a good token good. */
export const claimChanges: Readonly<Record<string, Mutation>> = {
  'a moment': ({ payload }, one, two) =>
    set(payload, pick(['exp', 'nbf', 'iat'], one), pick(spellings, nearlyZero(two))(pick(moments, one >> 2))),
  'another time': ({ payload }, one, two) =>
    set(
      payload,
      pick(['exp', 'nbf', 'iat'], one),
      pick(spellings, nearlyZero(two))(pick(otherTimes, one >> 2)),
    ),
  'a claim as others write it': ({ payload }, one, two) => {
    const name = pick(Object.keys(variants), one)
    set(payload, name, json(pick(variants[name] ?? [], two)))
  },
  'other scopes': ({ payload }, one) => {
    remove(payload, 'scope')
    set(payload, 'scp', pick(['"mcp:write"', '["mcp:write"]', '"mcp:write mcp:read"', '[]'], one))
  },
  'another tenant': ({ payload }, one) => set(payload, 'tid', pick(['"stranger"', '"friend"'], one)),
  'an odd value': ({ payload }, one, two) => set(payload, pick(claimNames, one), pick(oddValues, two)),
  'a claim nobody knows': ({ payload }, one, two) =>
    set(payload, pick(strangeNames, one), pick(oddValues, two)),
  'no such claim': ({ payload }, one) => remove(payload, pick(claimNames, one)),
  'only these claims': ({ payload }, one) => {
    payload.members = payload.members.filter((_member, at) => ((one >> at) & 1) === 0)
  },
}

/** What may stand in a header, allowed and not. `undefined` takes the member away. */
const headers: Readonly<Record<string, readonly unknown[]>> = {
  alg: [
    'none',
    'None',
    'HS256',
    'RS256',
    'ES256',
    'EdDSA',
    'HS512',
    '',
    null,
    ['HS256'],
    ' HS256',
    'hs256',
    7,
    '__proto__',
  ],
  typ: ['JWT', 'jwt', 'AT+JWT', 'application/at+jwt', 'at+jwt ', 'dpop+jwt', '', null, ['at+jwt'], undefined],
  kid: ['k2', 'K1', '', null, 7, '__proto__', 'constructor', '../k1', 'k1\0', undefined, ['k1']],
  crit: [['b64'], ['exp'], [], 'b64', null, ['b64', 'b64'], [['b64']], ['crit'], true],
  b64: [true, false, 'true', null, 1],
  cty: ['JWT', 'jwt', 'application/jwt', 'json', '', null, ['JWT']],
  jwk: [{ kty: 'oct', k: 'AAAA' }, null],
  jku: ['http://127.0.0.1:9/keys', 7],
  x5c: [['AAAA'], null],
  zip: ['DEF'],
  enc: ['A128GCM'],
}

export const headerNames = Object.keys(headers)

/** Changes of what the header says. */
export const headerChanges: Readonly<Record<string, Mutation>> = {
  'a header as others write it': ({ header }, one, two) => {
    const name = pick(headerNames, one)
    const value = pick(headers[name] ?? [], two)
    if (value === undefined) remove(header, name)
    else set(header, name, json(value))
  },
  'another algorithm': ({ header }, one) => set(header, 'alg', pick(['"EdDSA"', '"ES256"', '"RS256"'], one)),
  'an odd value in the header': ({ header }, one, two) =>
    set(header, pick(headerNames, one), pick(oddValues, two)),
  'a header nobody knows': ({ header }, one, two) =>
    set(header, pick(strangeNames, one), pick(oddValues, two)),
  'b64, announced': ({ header }, one, two) => {
    set(
      header,
      'crit',
      pick(['["b64"]', '["b64"]', '["b64","b64"]', '["b64","x"]', '["b64",1]', '["kid"]'], one),
    )
    set(header, 'b64', pick(['true', 'true', 'false', 'null', '1'], two))
  },
  'HS256 with a secret that is none': (draft, one) => {
    set(draft.header, 'alg', '"HS256"')
    draft.openSecret = one
  },
}

/** Half of the numbers choose the first. */
function nearlyZero(number: number): number {
  return number % 2 === 0 ? 0 : number >> 1
}
