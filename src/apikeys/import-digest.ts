import { isBearerToken } from '../core/authorization.ts'
import { nodeCrypto } from '../core/runtime.ts'
import type { ImportedApiKey } from './api-key.ts'
import { importedId, parseKey } from './format.ts'
import { checkStrength } from './import-strength.ts'
import type { KeyIdentity, Lifecycle } from './lifecycle.ts'

/** What is longer, no verifier looks at. */
const longestKey = 512

/**
 * What makes an imported key this one: the key, or its digest.
 *
 * A key that looks like one of this package's own, checksum and all, is one: it keeps its id, prefix and environment,
 * because verifiers will look for it under that id. Every other one is found by its SHA-256. So keys of this format
 * cannot be imported by a digest alone: nobody would find them.
 *
 * @throws TypeError naming the member that is wrong; shows neither
 */
export function importedIdentity(owner: string, given: ImportedApiKey, life: Lifecycle): KeyIdentity {
  const { key, sha256, allowWeak = false } = given
  if (typeof allowWeak !== 'boolean') throw new TypeError(`${owner}: allowWeak must be true or false`)
  if ((key === undefined) === (sha256 === undefined)) {
    throw new TypeError(`${owner}: give either key or sha256`)
  }
  if (key === undefined) return foreign(readDigest(`${owner}: sha256`, sha256), life)
  return identityOf(`${owner}: key`, key, allowWeak, life)
}

function identityOf(option: string, key: unknown, allowWeak: boolean, life: Lifecycle): KeyIdentity {
  if (typeof key !== 'string' || key.length > longestKey || !isBearerToken(key)) {
    throw new TypeError(`${option} must be 1 to ${longestKey} characters of a bearer token, without "Bearer"`)
  }
  const { hasher } = life
  const hashed = { hash: hasher.hash(key), hashAlgorithm: hasher.algorithm }
  const parsed = parseKey(key)
  if (typeof parsed === 'object') return { ...parsed, ...hashed, isImported: false }
  // Verifiers refuse it before they ask the store.
  if (parsed === 'bad_checksum') {
    throw new TypeError(
      `${option} has the form of a key of this package and a wrong checksum: a typing error`,
    )
  }
  if (jwtShape.test(key))
    throw new TypeError(`${option} looks like a JWT, which verifiers of keys do not take`)
  if (!allowWeak) checkStrength(option, key)
  return { ...foreign(digestOf(key), life), ...hashed }
}

/** RFC 7515 section 7.1, the header an object in base64url. */
const jwtShape = /^e[wy][\w-]*\.[\w-]+\.[\w-]*$/

function foreign(digest: Uint8Array, { prefix, environment }: Lifecycle): KeyIdentity {
  return {
    id: importedId(digest),
    prefix,
    environment,
    hash: digest,
    hashAlgorithm: 'sha256',
    isImported: true,
  }
}

/** SHA-256 of a key as callers send it: what a key without an id is found by. */
export function digestOf(key: string): Uint8Array {
  if (nodeCrypto === undefined) throw new TypeError('API keys need a runtime with node:crypto')
  return nodeCrypto.hash('sha256', key, 'buffer')
}

/** 64 hex digits; or 43 characters of base64 or base64url, whose last one has two bits to spare, and perhaps `=`. */
const hexDigest = /^[0-9a-f]{64}$/i
const base64Digest = /^[A-Za-z0-9+/_-]{42}[AEIMQUYcgkosw048]=?$/

/** Of nothing, which callers cannot send: what a digest is when the key got lost on the way. */
const ofNothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

function readDigest(option: string, value: unknown): Uint8Array {
  const text = typeof value === 'string' ? value : ''
  const isHex = hexDigest.test(text)
  if (!isHex && !base64Digest.test(text)) {
    throw new TypeError(`${option} must be a SHA-256: 64 hex digits, or base64, or base64url`)
  }
  const bytes = isHex ? fromHex(text) : fromBase64(text)
  if (bytes.length !== 32) throw new TypeError(`${option} must be a SHA-256 of 32 bytes`)
  if (bytes.every((byte, at) => byte === fromHex(ofNothing)[at])) {
    throw new TypeError(`${option} is that of an empty text`)
  }
  return bytes
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16))
}

function fromBase64(text: string): Uint8Array {
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/')
  return Uint8Array.from(atob(base64.replace('=', '')), (character) => character.charCodeAt(0))
}
