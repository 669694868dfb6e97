// The shapes: each fills the 8 KiB a token may have with what a parser likes least.
import { randomBytes } from 'node:crypto'
import { issuer, makeClaims, makeToken, makeTokenOfUsualSize } from './tokens.mjs'

const longest = 8192
/** Bytes of payload that fit beside the header and an RS256 signature. */
const room = Math.floor(((longest - 440) * 3) / 4)

/**
 * @param key of RS256
 * @returns list of `{ shape, token, isGood? }`; a shape named "signed" carries a good signature, so that its claims are
 *   judged as well; the others carry one of the right size that is wrong
 */
export function hostileTokens(key) {
  const claims = makeClaims()
  const forged = (payload, header) =>
    withSignature(makeToken({ ...key, sign: () => randomBytes(256) }, payload, header))
  const filled = (piece) => `{"iss":"${issuer}","x":${piece}}`
  return [
    { shape: 'usual size, good signature', token: makeTokenOfUsualSize(key), isGood: true },
    { shape: 'usual size, wrong signature', token: wrongSignature(makeTokenOfUsualSize(key)) },
    { shape: 'longest, one long text', token: forged(filled(`"${'x'.repeat(room - 60)}"`)) },
    { shape: 'longest, text of escapes', token: forged(filled(`"${'\\u0041'.repeat((room - 60) / 6)}"`)) },
    { shape: 'lists nested to the end', token: forged(filled('['.repeat(room - 60))) },
    { shape: 'objects nested to the end', token: forged(filled('{"a":'.repeat((room - 60) / 5))) },
    {
      shape: 'nested 30 deep, many times',
      token: forged(filled(repeated(`${'['.repeat(29)}${']'.repeat(29)}`))),
    },
    { shape: 'empty lists', token: forged(filled(repeated('[]'))) },
    { shape: 'empty objects', token: forged(filled(repeated('{}'))) },
    { shape: 'many members', token: forged(members((n) => n.toString(36))) },
    { shape: 'many members, numbers as names', token: forged(members((n) => String(n))) },
    { shape: 'many members, great numbers', token: forged(members((n) => String(4_294_967_290 - n * 7))) },
    { shape: 'many members, escaped names', token: forged(members(escaped)) },
    { shape: 'many members, the last one twice', token: forged(members((n) => n.toString(36), ',"0":0')) },
    { shape: 'one number of thousands of digits', token: forged(filled('7'.repeat(room - 60))) },
    { shape: 'fraction of thousands of digits', token: forged(filled(`0.${'3'.repeat(room - 60)}`)) },
    { shape: 'invalid UTF-8', token: forged(Buffer.alloc(room, 0xff)) },
    {
      shape: 'valid UTF-8, four bytes each',
      token: forged(filled(`"${'\u{1F511}'.repeat((room - 60) / 4)}"`)),
    },
    { shape: 'random bytes', token: forged(randomBytes(room)) },
    { shape: 'long kid', token: forged(claims, { alg: 'RS256', kid: 'k'.repeat(room - 500) }) },
    { shape: 'header with many members', token: forged(claims, manyHeaders()) },
    { shape: 'giant signature', token: fill(forged(claims), 'A') },
    { shape: 'no dots', token: 'A'.repeat(longest) },
    { shape: 'only dots', token: '.'.repeat(longest) },
    { shape: 'wrong character at the end', token: `${fill(forged(claims), 'A').slice(0, -1)}!` },
    { shape: 'one MiB', token: 'A'.repeat(1024 * 1024) },
    { shape: 'signed, many scopes', token: makeToken(key, { ...claims, scope: words() }), isGood: true },
    { shape: 'signed, list of scopes', token: makeToken(key, { ...claims, scope: list() }), isGood: true },
    { shape: 'signed, many audiences', token: makeToken(key, { ...claims, aud: list() }) },
    { shape: 'signed, many members', token: makeToken(key, { ...claims, ...record() }), isGood: true },
    { shape: 'signed, many objects', token: makeToken(key, { ...claims, x: objects() }), isGood: true },
  ]
}

/** Fails loudly where a shape has grown too long: it would be refused for its length and measure nothing. */
function withSignature(token) {
  if (token.length > longest) throw new Error(`a hostile token has ${token.length} characters`)
  return token
}

function wrongSignature(token) {
  const at = token.length - 20
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}

function fill(token, character) {
  return token.padEnd(longest, character)
}

/** A list of the same piece, as often as it fits. */
function repeated(piece) {
  return `[${Array(Math.floor((room - 60) / (piece.length + 1)))
    .fill(piece)
    .join(',')}]`
}

/** An object of as many members as fit. */
function members(nameOf, end = '') {
  let text = `{"iss":"${issuer}"`
  for (let n = 0; text.length < room - 60; n++) text += `,"${nameOf(n)}":0`
  return `${text}${end}}`
}

/** The name with each of its characters escaped. */
function escaped(n) {
  return [...n.toString(36)].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}

function manyHeaders() {
  return { alg: 'RS256', ...Object.fromEntries(numbers(500).map((n) => [`h${n}`, n])) }
}

const words = () =>
  numbers(1200)
    .map((n) => n.toString(36))
    .join(' ')
const list = () => numbers(800).map((n) => n.toString(36))
const record = () =>
  Object.fromEntries(
    list()
      .slice(0, 450)
      .map((name) => [`m${name}`, 0]),
  )
const objects = () => numbers(1500).map(() => ({}))

function numbers(count) {
  return Array.from({ length: count }, (_nothing, n) => n)
}
