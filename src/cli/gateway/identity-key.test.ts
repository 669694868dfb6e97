import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { LogEntry } from '../../core/index.ts'
import { Ed25519KeyPair, RSAKeyPair } from '../../issuer/index.ts'
import { identityKey } from './identity-key.ts'

let folder: string
let log: LogEntry[]
const logger = (entry: LogEntry) => void log.push(entry)
beforeEach(async () => {
  log = []
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-gateway-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('a key is made once, for its owner only, also when several start together', async () => {
  const file = join(folder, 'deep', 'identity.pem')
  expect(await identityKey(file, false, logger)).toBeUndefined()
  const all = await Promise.all([1, 2, 3].map(() => identityKey(file, true, logger)))
  const kids = new Set([...all, await identityKey(file, true, logger)].map((pair) => pair?.kid))
  expect([kids.size, kids.has(undefined)]).toEqual([1, false])
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readdir(join(folder, 'deep'))).toEqual(['identity.pem'])
  expect(log).toEqual([])
})

it.each([
  ['EdDSA', () => Ed25519KeyPair.generate()],
  ['RS256', () => RSAKeyPair.generate()],
] as const)('a key of somebody else is taken, %s', async (algorithm, generate) => {
  const file = join(folder, 'identity.pem')
  await writeFile(file, (await generate()).privateKey, { mode: 0o600 })
  expect((await identityKey(file, false, logger))?.algorithm).toBe(algorithm)
})

it('what is no key is left as it is, and not repeated', async () => {
  const file = join(folder, 'identity.pem')
  await writeFile(file, 'hunter2')
  await expect(identityKey(file, true, logger)).rejects.toThrow(`--identity-key: ${file}: `)
  expect(await readFile(file, 'utf8')).toBe('hunter2')
  await expect(identityKey(join(file, 'below'), true, logger)).rejects.not.toThrow('hunter2')
})

it('a link that leads nowhere is no place for a key, and no reason to sign with one that nobody keeps', async () => {
  const [file, elsewhere] = [join(folder, 'identity.pem'), join(folder, 'elsewhere.pem')]
  await symlink(elsewhere, file)
  await expect(identityKey(file, true, logger)).rejects.toThrow(`${file} does not exist`)
  await expect(stat(elsewhere)).rejects.toMatchObject({ code: 'ENOENT' })
})

it('a key that others can read is warned of', async () => {
  const file = join(folder, 'identity.pem')
  await identityKey(file, true, logger)
  await chmod(file, 0o644)
  await identityKey(file, true, logger)
  expect(log).toEqual([expect.objectContaining({ event: 'key_file_exposed' })])
})
