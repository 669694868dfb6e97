import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import type { AuditEvent } from '../../src/apikeys/audit-event.ts'
import { chainedHash, chainStart } from '../../src/apikeys/audit-hash.ts'

import type { KeyRecord } from '../../src/apikeys/key-record.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'

const source = fileURLToPath(new URL('../../src/apikeys/open-key-store.ts', import.meta.url))
const packages = fileURLToPath(new URL('../../node_modules', import.meta.url))

/**
 * What a process of its own does to a store until somebody kills it. Its argument is the store, as `openKeyStore` takes
 * it. It creates, replaces and revokes keys, each change in one commit with an event for each key it touches, and says so
 * after the commit: `ready`, `created <id>`, `replaced <old> <new>`, `revoked <id>`. What it says is written at once: a
 * line that is in the pipe was said after the commit.
 */
const program = `
  import { randomBytes } from 'node:crypto'
  import { writeSync } from 'node:fs'
  import { openKeyStore } from ${JSON.stringify(source)}

  const store = await openKeyStore(process.argv[2])
  const say = (...words) => writeSync(1, words.join(' ') + '\\n')
  const id = () => randomBytes(6).toString('hex')
  const event = (name, record) => ({
    event: name, outcome: 'success', severity: 'info', actor: { type: 'system' },
    keyId: record.id, lineageId: record.lineageId,
  })
  const made = (lineageId, own = id()) => ({
    id: own, lineageId: lineageId ?? own, prefix: 'mcpk', environment: 'test', hash: randomBytes(32), hashAlgorithm: 'sha256',
    isImported: false, name: 'key', owner: { id: 'owner' }, clientId: lineageId ?? own, scopes: [], metadata: {},
    isEnabled: true, state: 'active', useCount: 0, createdAt: store.time(), updatedAt: store.time(), rev: 1,
  })
  const commit = async (changes) => {
    if (!(await store.commit(changes))) throw new Error('a commit was refused')
  }
  say('ready')
  for (;;) {
    const first = made()
    await commit({ add: [first], audit: [event('key.create', first)] })
    say('created', first.id)
    const second = made(first.lineageId)
    const old = { ...first, state: 'grace', replacedBy: second.id, expiresAt: store.time() + 60_000 }
    await commit({ add: [second], update: [{ record: old }], audit: [event('key.rotate', old), event('key.create', second)] })
    say('replaced', first.id, second.id)
    const over = { ...second, state: 'revoked', revokedAt: store.time(), revokeReason: 'test' }
    await commit({ update: [{ record: over }], audit: [event('key.revoke', over)] })
    say('revoked', second.id)
  }
`

/** The program as one file. */
export interface KillProgram {
  /** Runs it on a store until it has said so many lines, and kills it then, whatever it is doing. Gives all it said. */
  runAndKill(db: string, lines: number): Promise<readonly string[]>
  remove(): void
}

/** @param hasDrivers whether it finds the packages that are installed here */
export async function killProgram(hasDrivers = true): Promise<KillProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-kill-'))
  const file = join(folder, 'program.mjs')
  const bundle = await rolldown({
    input: 'program',
    platform: 'node',
    external: [/^node:/, '@photostructure/sqlite', 'pg', 'postgres'],
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? id : undefined),
        load: (id) => (id === 'program' ? program : undefined),
      },
    ],
  })
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: 'program.mjs' })
  await bundle.close()
  // Where drivers are found, as by an installed package.
  if (hasDrivers) symlinkSync(packages, join(folder, 'node_modules'), 'junction')
  return {
    runAndKill: (db, lines) => runAndKill(spawn(process.execPath, [file, db]), lines),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function runAndKill(child: ChildProcess, lines: number): Promise<readonly string[]> {
  const said: string[] = []
  const errors: string[] = []
  child.stderr?.on('data', (text) => errors.push(String(text)))
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (said.push(line) === lines) child.kill('SIGKILL')
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(said)
      else reject(new Error(`the program ended by itself (${code}): ${errors.join('')}`))
    })
  })
}

/**
 * Fails unless a store, opened anew after kills, has every change the programs have acknowledged, and no half of any.
 *
 * @param begun the cursor of `changes` from before they ran; the store was empty then
 * @param said all lines of all programs
 */
export async function assertKept(store: KeyStore, begun: string, said: readonly string[]): Promise<void> {
  const keys = await allKeys(store)
  const events = await allEvents(store)
  for (const line of said) assertAcknowledged(keys, line)
  assertChained(events)
  const batch = await store.changes(begun)
  assert.equal(batch.isComplete, true, 'changes are missing')
  const told = new Set(batch.changes.map(({ ref }) => ref))
  for (const key of keys.values()) {
    assert.equal(key.rev, events.filter(({ keyId }) => keyId === key.id).length, 'a change without its event')
    assert.equal(
      told.has(key.id),
      key.rev > 1,
      'a change that is not told, or one that was told and not made',
    )
    if (key.replacedBy !== undefined) assert.ok(keys.has(key.replacedBy), 'a key was replaced by none')
    if (key.lineageId !== key.id)
      assert.equal(keys.get(key.lineageId)?.replacedBy, key.id, 'half of a rotation')
  }
  for (const { keyId } of events) assert.ok(keys.has(keyId!), 'an event of a key that does not exist')
}

function assertAcknowledged(keys: ReadonlyMap<string, KeyRecord>, line: string): void {
  const [what, id = '', other] = line.split(' ')
  if (what === 'ready') return
  const key = keys.get(id)
  assert.ok(key, `acknowledged and lost: ${line}`)
  if (what === 'replaced') assert.equal(key.replacedBy, other, `acknowledged and lost: ${line}`)
  if (what === 'revoked') assert.equal(key.state, 'revoked', `acknowledged and lost: ${line}`)
}

function assertChained(events: readonly AuditEvent[]): void {
  let previous = chainStart
  for (const [index, event] of events.entries()) {
    assert.equal(event.sequence, index + 1, 'an event is missing')
    previous = chainedHash(previous, event)
    assert.equal(event.hash, previous, 'the chain of events is broken')
  }
}

async function allKeys(store: KeyStore): Promise<ReadonlyMap<string, KeyRecord>> {
  const keys = new Map<string, KeyRecord>()
  for (let after = ''; ; ) {
    const page = await store.list({ after, limit: 1000 })
    for (const key of page) keys.set(key.id, key)
    if (page.length < 1000) return keys
    after = page.at(-1)!.id
  }
}

async function allEvents(store: KeyStore): Promise<readonly AuditEvent[]> {
  const events: AuditEvent[] = []
  for (;;) {
    const page = await store.readAudit({ after: events.at(-1)?.sequence ?? 0, limit: 1000 })
    events.push(...page)
    if (page.length < 1000) return events
  }
}
