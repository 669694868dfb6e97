import { constants, createHash, privateEncrypt } from 'node:crypto'
import { bigEndian, forgeWith, goodClaims, pkcs1, pss, readBigEndian, type Signer } from '../forge.ts'
import { rsa } from './material.ts'
import { good, goodHeader, resigned } from './tokens.ts'
import { badSignature, type Vector } from './vector.ts'

/** RSA without its padding: what the holder of the key could make that is no proper signature. */
const rawRsa = (block: Uint8Array) =>
  privateEncrypt({ key: rsa.privateKey, padding: constants.RSA_NO_PADDING }, block)
const digest = (hash: string, input: Uint8Array) => createHash(hash).update(input).digest()
const sha256Info = '3031300d060960864801650304020105000420'

/** EMSA-PKCS1-v1_5 (RFC 8017 section 9.2), with a freedom it does not give. */
function pkcs1Block(freedom: { info?: string; room?: number; type?: number; fill?: number }): Signer {
  const { info = sha256Info, type = 1, fill = 0xff } = freedom
  return (input) => {
    const content = Buffer.concat([Buffer.from(info, 'hex'), digest('sha256', input)])
    const room = freedom.room ?? 256 - 3 - content.length
    const block = Buffer.concat([Buffer.from([0, type]), Buffer.alloc(room, fill), Buffer.alloc(1), content])
    // What is left over where the padding is too short: junk behind the hash.
    return rawRsa(Buffer.concat([block, Buffer.alloc(256 - block.length, 0x5a)]))
  }
}

/** EMSA-PSS (RFC 8017 section 9.1.1), with a freedom RFC 7518 section 3.5 does not give. */
function pssBlock(freedom: { maskHash?: string; trailer?: number; before?: number }): Signer {
  const { maskHash = 'sha256', trailer = 0xbc, before = 0 } = freedom
  return (input) => {
    const salt = Buffer.alloc(32, 7)
    const hash = digest('sha256', Buffer.concat([Buffer.alloc(8), digest('sha256', input), salt]))
    const data = Buffer.concat([Buffer.alloc(190, before), Buffer.from([1]), salt])
    const masks = mask(hash, data.length, maskHash)
    const masked = data.map((byte, at) => byte ^ (masks[at] ?? 0))
    masked.set([(masked[0] ?? 0) & 0x7f])
    return rawRsa(Buffer.concat([masked, hash, Buffer.from([trailer])]))
  }
}

/** MGF1 (RFC 8017 appendix B.2.1). */
function mask(seed: Uint8Array, length: number, hash: string): Buffer {
  const blocks: Buffer[] = []
  for (let counter = 0; Buffer.concat(blocks).length < length; counter++) {
    blocks.push(digest(hash, Buffer.concat([seed, bigEndian(BigInt(counter), 4)])))
  }
  return Buffer.concat(blocks)
}

const rs256 = (signer: Signer) => () => forgeWith(signer)(goodHeader, goodClaims)
const ps256 = (signer: Signer) => () => forgeWith(signer)({ alg: 'PS256' }, goodClaims)
const modulus = readBigEndian(Buffer.from(String(rsa.publicKey.export({ format: 'jwk' }).n), 'base64url'))

/** For the tests: that the two ways to make a block make a good one when they are given no freedom. */
export const plainBlocks = { rs256: rs256(pkcs1Block({})), ps256: ps256(pssBlock({})) }

export const rsaSignatures: readonly Vector[] = [
  badSignature('B-10', 'RS256 over a SHA-512 hash', rs256(pkcs1(rsa.privateKey, 'sha512'))),
  badSignature('B-10', 'RS256 over a SHA-1 hash', rs256(pkcs1(rsa.privateKey, 'sha1'))),
  badSignature('B-10', 'RS256 that is really PS256', rs256(pss(rsa.privateKey))),
  badSignature(
    'B-10',
    'RS256 that is really PS256, where both are allowed',
    rs256(pss(rsa.privateKey)),
    'rs256-ps256',
  ),
  badSignature('B-10', 'RS256 with junk behind the hash', rs256(pkcs1Block({ room: 8 }))),
  badSignature('B-10', 'RS256 without the name of the hash', rs256(pkcs1Block({ info: '' }))),
  badSignature(
    'B-10',
    'RS256 without the NULL after the name of the hash',
    rs256(pkcs1Block({ info: '302f300b06096086480165030402010420' })),
  ),
  badSignature('B-10', 'RS256 with the padding of an encryption', rs256(pkcs1Block({ type: 2 }))),
  badSignature('B-10', 'RS256 padded with zeros', rs256(pkcs1Block({ fill: 0 }))),
  badSignature(
    'B-10',
    'RS256 with the number zero as signature',
    rs256(() => Buffer.alloc(256)),
  ),
  badSignature(
    'B-10',
    'RS256 with the number one as signature',
    rs256(() => bigEndian(1n, 256)),
  ),
  badSignature(
    'B-10',
    'RS256 with the modulus as signature',
    rs256(() => bigEndian(modulus, 256)),
  ),
  badSignature('B-10', 'RS256 with the signature subtracted from the modulus', () =>
    resigned(good(), (raw) => bigEndian(modulus - readBigEndian(raw), 256)),
  ),
  badSignature('B-10', 'RS256 with the modulus added to the signature', () =>
    resigned(good(), (raw) => bigEndian(modulus + readBigEndian(raw), 257)),
  ),
  badSignature('B-10', 'PS256 that is really RS256', ps256(pkcs1(rsa.privateKey)), 'ps256'),
  badSignature(
    'B-10',
    'PS256 that is really RS256, where both are allowed',
    ps256(pkcs1(rsa.privateKey)),
    'rs256-ps256',
  ),
  ...[0, 20, 31, 33, 222].map((salt) =>
    badSignature(
      'B-10',
      `PS256 with a salt of ${salt} bytes`,
      ps256(pss(rsa.privateKey, 'sha256', salt)),
      'ps256',
    ),
  ),
  badSignature('B-10', 'PS256 over a SHA-512 hash', ps256(pss(rsa.privateKey, 'sha512')), 'ps256'),
  badSignature('B-10', 'PS256 masked with SHA-1', ps256(pssBlock({ maskHash: 'sha1' })), 'ps256'),
  badSignature('B-10', 'PS256 with another last byte', ps256(pssBlock({ trailer: 0xcc })), 'ps256'),
  badSignature('B-10', 'PS256 with something where zeros belong', ps256(pssBlock({ before: 1 })), 'ps256'),
]
