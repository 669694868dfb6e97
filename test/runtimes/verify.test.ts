import { Buffer } from 'node:buffer'
import { generateKeyPairSync } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { audience, forgeWith, goodClaims, issuer, now, pkcs1 } from '../verify/forge.ts'
import { json, type KeyServer, keyServer, status } from '../verify/key-server.ts'
import { type Answer, askProgram, installed, type ProgramRuntime } from './programs.ts'
import { allVectors, type Need, type Question, type Vector } from './vectors.ts'
import { askWorker, type WorkerRuntime } from './workers.ts'

type Runtime = ProgramRuntime | WorkerRuntime
/** What becomes of a token whose key needs what is lacking. */
type Lack = Readonly<Partial<Record<Need, 'unsupported' | 'bad_signature'>>>

/** Bun and workerd are made with BoringSSL, which does not know Ed448 (RFC 8032 section 5.2). Node and Deno do. */
const noEd448: Lack = { Ed448: 'unsupported' }

/** What each runtime lacks. Whatever is not in this table comes out the same everywhere. */
const lacks: Readonly<Record<Runtime, Lack>> = {
  'node-20': {},
  'node-22': {},
  'node-24': {},
  'node-26': {},
  bun: noEd448,
  deno: {},
  workerd: noEd448,
  // Web Crypto reads no PEM, and imports a key only later: a point off its curve is not found when the verifier is made.
  'workerd-without-node': { ...noEd448, PEM: 'unsupported', 'early look at keys': 'bad_signature' },
}
const runtimes = Object.keys(lacks) as Runtime[]

let vectors: readonly Vector[]
beforeAll(async () => {
  vectors = await allVectors()
})

describe.each(runtimes)('mcp-bearer/verify on %s', (name) => {
  it('B-06 B-10 B-11 says of every token what it says elsewhere, and reads the same from the good ones', async () => {
    const answer = await ask(name, vectors)
    const expected = vectors.map((vector) => [vector.name, outcomeOn(name, vector)])
    expect(answer.outcomes).toEqual(Object.fromEntries(expected))
    expect(Object.keys(answer.outcomes)).toHaveLength(vectors.length)
    const accepted = vectors.filter((vector) => answer.outcomes[vector.name] === 'accepted')
    expect(Object.keys(answer.tokens)).toEqual(accepted.map((vector) => vector.name))
    for (const { name: about, token, expects } of accepted) {
      const read = answer.tokens[about]
      expect(read?.claims, about).toEqual(claimsOf(token))
      if (expects) expect({ subject: null, ...read }, about).toMatchObject(expects)
    }
  })

  it('B-71 B-72 B-82 fetches a key set as the runtime fetches, no redirect, nothing too large, no credentials', async () => {
    const server = await keyServer((request, response) => keySets[request.url ?? '']?.(request, response))
    const at = (path: string, kid = 'k1') => ({
      name: `${path} ${kid}`,
      options: { jwksUri: new URL(path, server.url).href, issuer, audience },
      token: forgeWith(pkcs1(rsa.privateKey))({ alg: 'RS256', kid }, goodClaims),
      now,
    })
    const { outcomes } = await ask(name, [
      at('/keys'),
      at('/keys', 'k2'),
      at('/packed'),
      at('/moved'),
      at('/large'),
      at('/text'),
    ])
    expect(outcomes).toEqual({
      '/keys k1': 'accepted',
      '/keys k2': 'no_matching_key',
      '/packed k1': 'accepted',
      '/moved k1': 'verifier_unavailable',
      '/large k1': 'verifier_unavailable',
      '/text k1': 'verifier_unavailable',
    })
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/keys',
      '/keys',
      '/packed',
      '/moved',
      '/large',
      '/text',
    ])
    for (const { headers } of server.requests) {
      expect(headers.accept).toContain('application/json')
      expect(headers).not.toHaveProperty('authorization')
      expect(headers).not.toHaveProperty('cookie')
    }
  })

  it('was asked, and no other runtime in its place', async () => {
    const { runtime, nodeCrypto } = await ask(name, [])
    const isWorker = name === 'workerd' || name === 'workerd-without-node'
    const { version } = await installed(isWorker ? 'workerd' : name)
    expect(runtime).toBe(isWorker ? 'workerd' : `${name.split('-')[0]} ${version}`)
    // The first way or the second, or else nothing is proved of the one without.
    expect(nodeCrypto).toEqual(name === 'workerd-without-node' ? [false, false] : [true, true])
  })
})

function ask(name: Runtime, questions: readonly Question[]): Promise<Answer> {
  return name === 'workerd' || name === 'workerd-without-node'
    ? askWorker(name, questions)
    : askProgram(name, questions)
}

function outcomeOn(name: Runtime, { needs, expected, keySet }: Vector): string {
  const lack = needs && lacks[name][needs]
  // A key of a set that is not supported spoils nothing: it is as if it were not there.
  return lack === 'unsupported' && keySet !== undefined ? 'no_matching_key' : (lack ?? expected)
}

function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keySet = { keys: [{ ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k1' }] }
const keySets: Readonly<Record<string, KeyServer['answer']>> = {
  '/keys': json(keySet),
  '/packed': packed(keySet),
  '/moved': status(302, { location: '/keys' }),
  // A good set in a few bytes, until it is unpacked.
  '/large': packed({ ...keySet, filling: ' '.repeat(10_000_000) }),
  '/text': json('no keys today'),
}

/** As servers do it: packed for whoever says that they can unpack. */
function packed(body: object): KeyServer['answer'] {
  const text = JSON.stringify(body)
  return ({ headers }, response) => {
    const isPacked = String(headers['accept-encoding']).includes('gzip')
    response.writeHead(200, isPacked ? { 'content-encoding': 'gzip' } : {})
    response.end(isPacked ? gzipSync(text) : text)
  }
}
