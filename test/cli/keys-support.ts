import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { ApiKey } from '../../src/apikeys/api-key.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { openKeyStore } from '../../src/apikeys/open-key-store.ts'
import { keys } from '../../src/cli/commands/keys.ts'
import { type Person, type Ran, run } from './support.ts'

/** A database of its own for each test of a file. */
export interface KeysFolder {
  readonly db: string
  path(name: string): string
}

export function keysFolder(): KeysFolder {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-keys-'))
    vi.stubEnv('MCP_BEARER_DB', join(folder, 'keys.db'))
    vi.stubEnv('MCP_BEARER_PEPPER', undefined)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })
  return {
    get db() {
      return join(folder, 'keys.db')
    },
    path: (name) => join(folder, name),
  }
}

/** `mcp-bearer keys …` */
export function cli(argv: readonly string[], person?: Person): Promise<Ran> {
  return run(keys, argv, person)
}

/** The same, which is expected to go well, and its JSON. */
export async function json<T>(argv: readonly string[], person?: Person): Promise<T> {
  const ran = await cli([...argv, '--json'], person)
  expect([ran.exit, ran.err]).toEqual([0, ''])
  return ran.json() as T
}

export interface Created {
  readonly key: string
  readonly apiKey: ApiKey
}

/** A key, made by the command. */
export function create(...argv: string[]): Promise<Created> {
  const owner = argv.includes('--owner') ? [] : ['--owner', 'service:build']
  const name = argv.includes('--name') ? [] : ['--name', 'ci']
  return json<Created>(['create', ...name, ...owner, ...argv])
}

/** What the database holds, for as long as it is looked at. */
export async function inStore<T>(db: string, look: (store: KeyStore) => Promise<T>): Promise<T> {
  const store = await openKeyStore(db)
  try {
    return await look(store)
  } finally {
    await store.close()
  }
}
