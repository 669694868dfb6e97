import { generateKeyPairSync } from 'node:crypto'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BearerAuth,
  clientCredentials,
  commandToken,
  dpopKey,
  enterpriseManaged,
  envToken,
  fileToken,
  fileTokenStore,
  functionToken,
  memoryTokenStore,
  refreshToken,
  type TokenSource,
  type TokenSourceEnvironment,
  tokenExchange,
  workloadIdentity,
} from 'mcp-bearer/client'
import {
  type ContractCase,
  type SourceUnderTest,
  tokenSourceContract,
  tokenStoreContract,
} from 'mcp-bearer/testing'
import { afterEach, describe, it, vi } from 'vitest'
import { fakeIssuer, refuses, tokens as tokenAnswer } from './authorization-servers.ts'
import { answer, closeServers, listen } from './servers.ts'
import { stillWorld } from './token-sources.ts'

afterEach(async () => {
  vi.unstubAllEnvs()
  await closeServers()
})

const password = 'password-of-the-vault-0123456789'
const client = { id: 'agent', secret: password }
const firstRefreshToken = 'refresh-contract-0123456789-0'
/** Good for years; nobody here looks at its signature. */
const assertion = jwt('{"alg":"ES256"}')
const { privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

function jwt(header: string): string {
  const parts = [header, '{"sub":"agent","exp":4000000000}', 'signature of the platform']
  return parts.map((part) => Buffer.from(part).toString('base64url')).join('.')
}

/** Every token source of the package. One line each: its name, and a function that makes it with what moves it. */
const sources: readonly [name: string, make: () => SourceUnderTest | Promise<SourceUnderTest>][] = [
  [
    'BearerAuth',
    () => ({ source: new BearerAuth('sk-pasted-0123456789'), secrets: ['sk-pasted-0123456789'] }),
  ],
  ['envToken', env],
  ['fileToken', file],
  ['commandToken', command],
  ['functionToken that gives a string', giving],
  ['functionToken that gives an expiry', expiring],
  ['clientCredentials', issued((issuer, world) => clientCredentials({ issuer, client }, world))],
  [
    'clientCredentials with a store',
    issued((issuer, world) => clientCredentials({ issuer, client }, stored(world))),
  ],
  [
    'refreshToken',
    issued((issuer, world) => refreshToken({ issuer, client, refreshToken: firstRefreshToken }, world)),
  ],
  [
    'tokenExchange',
    issued((issuer, world) => tokenExchange({ issuer, client, subjectToken: () => assertion }, world)),
  ],
  [
    'workloadIdentity',
    issued((issuer, world) => workloadIdentity({ issuer, assertion: () => assertion }, world)),
  ],
  [
    'clientCredentials with a private key',
    issued((issuer, world) => clientCredentials({ issuer, client: { id: 'agent', privateKey } }, world)),
  ],
  [
    'clientCredentials with DPoP',
    issued((issuer, world) => clientCredentials({ issuer, client, dpop: dpopKey() }, world), 'DPoP'),
  ],
  ['enterpriseManaged', managed],
]

describe.each(sources)('the contract of token sources: %s', (_name, make) => {
  it.each(named(tokenSourceContract(make)))('%s', (_name, run) => run())
})

describe('the contract of token stores', () => {
  it.each(named(tokenStoreContract(() => ({ store: memoryTokenStore() }))))(
    'memoryTokenStore %s',
    (_name, run) => run(),
  )

  const inFile = () => {
    const folder = temporaryFolder()
    const path = join(folder, 'below', 'tokens.json')
    const close = () => rmSync(folder, { recursive: true })
    return { store: fileTokenStore(path), other: fileTokenStore(path), close }
  }
  it.each(named(tokenStoreContract(inFile)))('fileTokenStore %s', (_name, run) => run())
})

/** Cases as a table of tests takes them. */
function named(
  cases: readonly ContractCase[],
): readonly (readonly [name: string, run: () => Promise<void>])[] {
  return cases.map(({ name, run }) => [name, run])
}

/** Tokens with a number each, so that the next one is another. */
function numbered(): { readonly current: string; rotate(): void } {
  let number = 1
  return {
    get current() {
      return `sk-contract-0123456789-${number}`
    },
    rotate() {
      number += 1
    },
  }
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'mcp-bearer-'))
}

function env(): SourceUnderTest {
  const tokens = numbered()
  const set = () => void vi.stubEnv('CONTRACT_TOKEN', tokens.current)
  set()
  return {
    source: envToken('CONTRACT_TOKEN'),
    secrets: [tokens.current],
    rotate() {
      tokens.rotate()
      set()
    },
    fail: () => void vi.stubEnv('CONTRACT_TOKEN', `${password} ${password}`),
    repair: set,
  }
}

function file(): SourceUnderTest {
  const folder = temporaryFolder()
  const path = join(folder, 'token')
  const tokens = numbered()
  const write = () => writeFileSync(path, `${tokens.current}\n`, { mode: 0o600 })
  write()
  return {
    source: fileToken(path),
    secrets: [tokens.current, password],
    rotate() {
      tokens.rotate()
      write()
    },
    fail: () => writeFileSync(path, `${password} ${password}`),
    repair: write,
    close: () => rmSync(folder, { recursive: true }),
  }
}

/** A program that writes a secret to both streams before it fails. */
function command(): SourceUnderTest {
  const folder = temporaryFolder()
  const path = join(folder, 'token')
  const log = join(folder, 'log')
  const tokens = numbered()
  const write = () => writeFileSync(path, tokens.current)
  write()
  appendFileSync(log, '')
  const program = `
    const { appendFileSync, existsSync, readFileSync } = require('node:fs')
    appendFileSync(process.env.LOG, '.')
    if (!existsSync(process.env.FILE)) {
      console.log(process.argv[1])
      console.error(process.argv[1])
      process.exit(3)
    }
    console.log(readFileSync(process.env.FILE, 'utf8'))
  `
  return {
    source: commandToken(process.execPath, ['-e', program, password], { env: { LOG: log, FILE: path } }),
    secrets: [tokens.current, password],
    rotate() {
      tokens.rotate()
      write()
    },
    fail: () => rmSync(path),
    repair: write,
    acquisitions: () => (existsSync(log) ? readFileSync(log, 'utf8').length : 0),
    close: () => rmSync(folder, { recursive: true }),
  }
}

function giving(): SourceUnderTest {
  const tokens = numbered()
  let isDown = false
  return {
    // A vault that is down may give anything, a page with an error for one.
    source: functionToken(async () => (isDown ? `<p>${password}</p>` : tokens.current)),
    secrets: [password],
    rotate: () => tokens.rotate(),
    fail: () => {
      isDown = true
    },
    repair: () => {
      isDown = false
    },
  }
}

function expiring(): SourceUnderTest {
  const tokens = numbered()
  let isDown = false
  let calls = 0
  const give = async () => {
    calls += 1
    return { token: isDown ? `<p>${password}</p>` : tokens.current, expiresIn: 3600 }
  }
  return {
    source: functionToken(give),
    secrets: [password],
    rotate: () => tokens.rotate(),
    fail: () => {
      isDown = true
    },
    repair: () => {
      isDown = false
    },
    acquisitions: () => calls,
  }
}

function stored(environment: TokenSourceEnvironment): TokenSourceEnvironment {
  return { ...environment, store: memoryTokenStore() }
}

/** A source that gets its tokens from an authorization server, each another, with a refresh token that rotates. */
function issued(
  source: (issuer: string, environment: TokenSourceEnvironment) => TokenSource,
  type = 'Bearer',
): () => Promise<SourceUnderTest> {
  return async () => {
    const server = await fakeIssuer()
    const { url } = await listen(answer(404))
    const world = stillWorld()
    let given = 0
    const repair = () =>
      server.answer((_form, count) => {
        given += 1
        return tokenAnswer({
          token_type: type,
          access_token: `access-contract-0123456789-${count}`,
          refresh_token: `refresh-contract-0123456789-${count}`,
        })
      })
    repair()
    return {
      source: source(server.issuer, world.environment),
      request: { url },
      secrets: [password, firstRefreshToken, 'refresh-contract-0123456789-', assertion],
      rotate() {},
      // A server that repeats what it was sent.
      fail: () =>
        server.answer(({ headers, fields }) =>
          refuses('invalid_client', JSON.stringify([headers.authorization, fields]), 401),
        ),
      repair() {
        repair()
        // After a failure it is left in peace for a while.
        world.now += 3_600_000 / 2
      },
      acquisitions: () => given,
    }
  }
}

/** The same with an identity provider before it, whose grant is good for years. */
async function managed(): Promise<SourceUnderTest> {
  const provider = await fakeIssuer()
  const grant = jwt('{"alg":"ES256","typ":"oauth-id-jag+jwt"}')
  const idJag = 'urn:ietf:params:oauth:token-type:id-jag'
  provider.answer(() => tokenAnswer({ access_token: grant, token_type: 'N_A', issued_token_type: idJag }))
  const identityProvider = { issuer: provider.issuer, client, subjectToken: () => assertion }
  const made = issued((issuer, world) => enterpriseManaged({ identityProvider, issuer, client }, world))
  const under = await made()
  return { ...under, secrets: [...under.secrets, grant] }
}
