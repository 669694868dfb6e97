import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { token } from '../../src/cli/commands/token.ts'
import { type Person, type Ran, run } from './support.ts'

/** A folder of its own for each test of a file. */
export function tokenFolder(): (name: string) => string {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-token-'))
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })
  return (name) => join(folder, name)
}

/** `mcp-bearer token …` */
export function cli(argv: readonly string[], person?: Person): Promise<Ran> {
  return run(token, argv, person)
}

/** A key in a file, made by the command. */
export async function keyFile(path: string, algorithm = 'ES256'): Promise<string> {
  expect(await cli(['keygen', '--algorithm', algorithm, '--out', path])).toMatchObject({ exit: 0, err: '' })
  return path
}

/** A token, made by the command. */
export async function minted(key: string, ...argv: string[]): Promise<string> {
  const ran = await cli(['mint', '--key', key, ...argv])
  expect(ran.exit, ran.err).toBe(0)
  return ran.out
}

/** A JWT of these parts, which nobody signed. */
export function forged(header: object, claims: object, signature = 'c2ln'): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.${signature}`
}

/** Whether a text holds a token, or a part of it that is secret. */
export function shows(text: string, secret: string): boolean {
  return [secret, secret.split('.')[2] ?? secret].some((part) => text.includes(part))
}
