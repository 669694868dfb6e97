import { encodePart, forgeWith, goodClaims, hmac, pkcs1, signParts } from '../forge.ts'
import { rsa, secret } from './material.ts'
import {
  claimsText,
  good,
  goodHeader,
  headerText,
  nested,
  parts,
  signed,
  withClaims,
  withPayload,
} from './tokens.ts'
import { refused, type Vector } from './vector.ts'

const malformed = (ids: string, name: string, token: () => string) => refused(ids, name, token, 'malformed')

/** Signed over the parts as they are spelt. */
const spelt = (header: string, payload: string) => signParts(pkcs1(rsa.privateKey), header, payload)
const headerPart = encodePart(goodHeader)
const payloadPart = encodePart(goodClaims)

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** The last character changed in a bit that carries nothing. */
function otherSpelling(part: string): string {
  if (part.length % 4 === 0) throw new Error('this part has no unused bits')
  return part.slice(0, -1) + alphabet[alphabet.indexOf(part.slice(-1)) + 1]
}

/** The object with so much more text in it that the last group of its base64url has this many characters. */
function ragged(object: object, rest: 2 | 3 = 2): string {
  const ends = ['', 'x', 'xx'].map((pad) => encodePart({ ...object, pad }))
  return ends.find((part) => part.length % 4 === rest) ?? ''
}
const padded = (part: string) => part + '='.repeat((4 - (part.length % 4)) % 4)

/** Base64 as others spell it. The text in it needs both characters that differ. */
const foreignAlphabet = (object: object) =>
  encodePart({ ...object, note: '???>>>???>>>' })
    .replaceAll('-', '+')
    .replaceAll('_', '/')

const counts: readonly Vector[] = [
  malformed('B-30', 'nothing at all', () => ''),
  malformed('B-30', 'an opaque token', () => 'sk-0123456789abcdef'),
  malformed('B-30', 'one part', () => parts()[1]),
  malformed('B-30', 'two parts', () => parts().slice(0, 2).join('.')),
  malformed('B-30', 'four parts', () => `${good()}.${parts()[2]}`),
  malformed('B-12', 'five parts that begin with a good token', () => `${good()}.${parts()[1]}.${parts()[2]}`),
  malformed('B-30', 'six parts', () => `${good()}.${good()}`),
  malformed('B-30', 'two dots and nothing else', () => '..'),
  malformed('B-30', 'a good token with a dot in front', () => `.${good()}`),
  malformed('B-30', 'a good token with a dot at the end', () => `${good()}.`),
  malformed('B-30', 'an empty header', () => `.${parts()[1]}.${parts()[2]}`),
  malformed('B-12', 'a detached payload', () => `${parts()[0]}..${parts()[2]}`),
  malformed('B-11', 'an empty signature', () => `${parts()[0]}.${parts()[1]}.`),
  malformed('B-30', 'full-width dots between the parts', () => good().replaceAll('.', '\uFF0E')),
  malformed('B-30', 'percent-encoded dots between the parts', () => good().replaceAll('.', '%2E')),
]

const characters: readonly Vector[] = [
  malformed('B-30', 'padding at the end', () => `${good()}=`),
  malformed('B-30', 'a rightly signed header with its padding', () =>
    spelt(padded(ragged(goodHeader)), payloadPart),
  ),
  malformed('B-30', 'a rightly signed payload with its padding', () =>
    spelt(headerPart, padded(ragged(goodClaims))),
  ),
  malformed('B-30', 'a rightly signed header in the alphabet of plain base64', () =>
    spelt(foreignAlphabet(goodHeader), payloadPart),
  ),
  malformed('B-30', 'a rightly signed payload in the alphabet of plain base64', () =>
    spelt(headerPart, foreignAlphabet(goodClaims)),
  ),
  malformed('B-30', 'a plus in the signature', () => good().replace(/[-_A-Z](?=[^.]*$)/, '+')),
  malformed('B-30', 'a slash in the signature', () => good().replace(/[-_A-Z](?=[^.]*$)/, '/')),
  malformed('B-30', 'a rightly signed payload with a line break in it', () =>
    spelt(headerPart, `${payloadPart.slice(0, 64)}\n${payloadPart.slice(64)}`),
  ),
  malformed('B-30', 'a line break at the end', () => `${good()}\n`),
  malformed('B-30', 'a carriage return at the end', () => `${good()}\r`),
  malformed('B-30', 'a blank in front', () => ` ${good()}`),
  malformed('B-30', 'a blank at the end', () => `${good()} `),
  malformed('B-30', 'a tab after the first dot', () => good().replace('.', '.\t')),
  malformed('B-30', 'a no-break space at the end', () => `${good()}\u00A0`),
  malformed('B-30', 'a zero-width space in front', () => `\u200B${good()}`),
  malformed('B-30', 'a null character at the end', () => `${good()}\0`),
  malformed('B-30', 'quotes around it', () => `"${good()}"`),
  malformed('B-30', 'the scheme in front', () => `Bearer ${good()}`),
  malformed('B-30', 'a letter from outside ASCII in the signature', () => good().replace(/.$/, '\u00E9')),
  malformed('B-30', 'a Cyrillic letter that looks like the first one of the header', () =>
    good().replace(/^e/, '\u0435'),
  ),
  malformed('B-30', 'a signature of a length that base64url cannot have', () => {
    const [header, payload, signature] = parts()
    return `${header}.${payload}.${signature.slice(0, signature.length - (signature.length % 4) + 1)}`
  }),
  malformed('B-31', 'another spelling of the signature', () => otherSpelling(good())),
  refused(
    'B-31',
    'another spelling of the signature of HS256',
    () => otherSpelling(forgeWith(hmac(secret))({ alg: 'HS256' }, goodClaims)),
    'malformed',
    'hs256',
  ),
  malformed('B-31', 'another spelling of a header with two unused bits, rightly signed', () =>
    spelt(otherSpelling(ragged(goodHeader, 3)), payloadPart),
  ),
  malformed('B-31', 'another spelling of a payload with two unused bits, rightly signed', () =>
    spelt(headerPart, otherSpelling(ragged(goodClaims, 3))),
  ),
  malformed('B-31', 'another spelling of a header with four unused bits, rightly signed', () =>
    spelt(otherSpelling(ragged(goodHeader)), payloadPart),
  ),
  malformed('B-31', 'another spelling of a payload with four unused bits, rightly signed', () =>
    spelt(headerPart, otherSpelling(ragged(goodClaims))),
  ),
]

const text = JSON.stringify(goodClaims)
const bytes = (before: string, middle: readonly number[], after: string) =>
  Buffer.concat([Buffer.from(before), Buffer.from(middle), Buffer.from(after)])
/** The claims with bytes in a text that are no UTF-8. */
const badUtf8 = (...middle: readonly number[]) => bytes(text.replace(/\}$/, ',"x":"'), middle, '"}')

const json: readonly Vector[] = [
  malformed('B-32', 'a list as payload', () => withPayload('[]')),
  malformed('B-32', 'a list around good claims as payload', () => withPayload(`[${text}]`)),
  malformed('B-32', 'null as payload', () => withPayload('null')),
  malformed('B-32', 'true as payload', () => withPayload('true')),
  malformed('B-32', 'a number as payload', () => withPayload('1800000300')),
  malformed('B-32', 'a text as payload', () => withPayload(JSON.stringify(text))),
  malformed('B-32', 'a blank as payload', () => withPayload(' ')),
  malformed('B-32', 'a payload that is a form, not JSON', () => withPayload('sub=user-1&scope=admin')),
  malformed('B-32', 'a list as header', () => signed(`[${JSON.stringify(goodHeader)}]`, goodClaims)),
  malformed('B-32', 'null as header', () => signed('null', goodClaims)),
  malformed('B-32', 'a text as header', () => signed('"RS256"', goodClaims)),
  malformed('B-32', 'an object after the claims', () => withPayload(`${text} {}`)),
  malformed('B-32', 'a bracket after the claims', () => withPayload(`${text}}`)),
  malformed('B-32', 'a null byte after the claims', () => withPayload(`${text}\0`)),
  malformed('B-32', 'an object after the header', () =>
    signed(`${JSON.stringify(goodHeader)}{}`, goodClaims),
  ),
  malformed('B-32', 'claims that are cut off', () => withPayload(text.slice(0, -1))),
  malformed('B-32', 'a comma too many', () => withPayload(text.replace(/\}$/, ',}'))),
  malformed('B-32', 'a comment among the claims', () => withPayload(text.replace('{', '{/* x */'))),
  malformed('B-32', 'single quotes', () => withPayload(text.replaceAll('"', "'"))),
  malformed('B-32', 'a name without quotes', () => withPayload(text.replace('"sub"', 'sub'))),
  malformed('B-32', 'a number that begins with zero', () => withPayload(claimsText('"x":01'))),
  malformed('B-32', 'a claim that is NaN', () => withPayload(claimsText('"x":NaN'))),
  malformed('B-32', 'a line break within a text', () => withPayload(claimsText('"x":"a\nb"'))),
  malformed('B-32', 'a byte order mark before the claims', () => withPayload(`\uFEFF${text}`)),
  malformed('B-32', 'a byte order mark before the header', () =>
    signed(`\uFEFF${JSON.stringify(goodHeader)}`, goodClaims),
  ),
  malformed('B-32', 'claims in UTF-16', () => withPayload(Buffer.from(text, 'utf16le'))),
  malformed('B-32', 'a byte that is Latin-1, not UTF-8', () => withPayload(badUtf8(0xff))),
  malformed('B-32', 'a character cut in half', () => withPayload(badUtf8(0xe2, 0x82))),
  malformed('B-32', 'an overlong encoding of a slash', () => withPayload(badUtf8(0xc0, 0xaf))),
  malformed('B-32', 'a surrogate encoded in UTF-8', () => withPayload(badUtf8(0xed, 0xa0, 0x80))),
  malformed('B-32', 'a byte in the header that is no UTF-8', () =>
    signed(bytes('{"alg":"RS256","x":"', [0xff], '"}'), goodClaims),
  ),
]

const duplicates: readonly Vector[] = [
  malformed('B-27', 'two alg members', () => signed('{"alg":"none","alg":"RS256"}', goodClaims)),
  malformed('B-27', 'two equal alg members', () => signed('{"alg":"RS256","alg":"RS256"}', goodClaims)),
  malformed('B-27', 'two alg members, one escaped', () =>
    signed('{"alg":"RS256","\\u0061lg":"RS256"}', goodClaims),
  ),
  malformed('B-27', 'two kid members', () => signed(headerText('"kid":"k2"'), goodClaims)),
  malformed('B-27', 'two typ members', () => signed(headerText('"typ":"JWT"'), goodClaims)),
  malformed('B-27', 'two aud members', () => withPayload(claimsText('"aud":"other"'))),
  malformed('B-27', 'two iss members', () => withPayload(claimsText('"iss":"other"'))),
  malformed('B-27', 'two sub members', () => withPayload(claimsText('"sub":"admin"'))),
  malformed('B-27', 'two scope members', () => withPayload(claimsText('"scope":"admin"'))),
  malformed('B-27', 'two exp members, one escaped', () => withPayload(claimsText('"\\u0065xp":1'))),
  malformed('B-27', 'two aud members, one escaped in capitals', () =>
    withPayload(claimsText('"\\u0061\\u0075\\u0064":"other"')),
  ),
  malformed('B-27', 'two members __proto__', () => withPayload(claimsText('"__proto__":1,"__proto__":2'))),
  malformed('B-27', 'two members in an object within a list', () =>
    withPayload(claimsText('"a":[{"b":1,"b":2}]')),
  ),
  malformed('B-27', 'two members in an object far within', () =>
    withPayload(claimsText('"a":{"b":{"c":{"d":1,"e":2,"d":3}}}')),
  ),
]

/** What only looks like a compact JWS. */
const otherForms: readonly Vector[] = [
  refused(
    'B-12',
    'a JWE: five parts, the header of an encrypted token',
    () => [encodePart({ alg: 'RSA-OAEP-256', enc: 'A256GCM' }), ...parts(), parts()[1]].join('.'),
    'malformed',
  ),
  refused(
    'B-12',
    'the header of an encrypted token on three parts',
    () => signed({ alg: 'RSA-OAEP-256', enc: 'A256GCM' }, goodClaims),
    'algorithm_not_allowed',
  ),
  malformed('B-12', 'the flattened JSON serialisation', () => {
    const [header, payload, signature] = parts()
    return JSON.stringify({ protected: header, payload, signature })
  }),
  malformed('B-12', 'the general JSON serialisation', () => {
    const [header, payload, signature] = parts()
    return JSON.stringify({ payload, signatures: [{ protected: header, signature }] })
  }),
  malformed('B-12', 'a nested JWT', () => signed({ ...goodHeader, cty: 'JWT' }, good())),
  malformed('B-12', 'a nested JWT that does not say so', () => withPayload(good())),
  ...['JWT', 'jwt', 'application/jwt'].map((cty) =>
    malformed('B-12', `cty ${cty} around good claims`, () => signed({ ...goodHeader, cty }, goodClaims)),
  ),
  malformed('B-30', 'two tokens, separated by a comma', () => `${good()},${good()}`),
]

const limits: readonly Vector[] = [
  malformed('B-33', 'claims with lists nested 33 deep', () => withPayload(claimsText(nested(32)))),
  malformed('B-33', 'claims with objects nested 33 deep', () =>
    withPayload(claimsText(`"deep":${'{"a":'.repeat(32)}1${'}'.repeat(32)}`)),
  ),
  malformed('B-33', 'a header nested 33 deep', () => signed(headerText(nested(32)), goodClaims)),
  malformed('B-33', 'five thousand brackets that are never closed', () => withPayload('['.repeat(5000))),
  refused('B-33', 'one character more than 8 KiB', () => tokenOfLength(8193), 'too_long'),
  refused(
    'B-33',
    'a header of 8 KiB',
    () => signed(headerText(`"x":"${'x'.repeat(8192)}"`), goodClaims),
    'too_long',
  ),
  refused('B-33', 'claims of 8 KiB', () => withClaims({ pad: 'x'.repeat(8192) }), 'too_long'),
  refused('B-33', '1 MB of one letter', () => 'a'.repeat(1_000_000), 'too_long'),
  refused('B-33', '1 MB of dots', () => '.'.repeat(1_000_000), 'too_long'),
]

/** A good token of exactly so many characters. */
export function tokenOfLength(length: number): string {
  const signature = parts()[2].length
  for (const pad of ['', 'x', 'xx']) {
    const header = encodePart({ ...goodHeader, pad })
    const room = length - header.length - signature - 2
    const missing = Math.floor((room * 3) / 4) - JSON.stringify({ ...goodClaims, pad: '' }).length
    const payload = encodePart({ ...goodClaims, pad: 'x'.repeat(missing) })
    if (payload.length === room) return spelt(header, payload)
  }
  throw new Error('no token has this length')
}

export const structure: readonly Vector[] = [
  ...counts,
  ...characters,
  ...json,
  ...duplicates,
  ...otherForms,
  ...limits,
]
