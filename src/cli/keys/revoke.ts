import type { ApiKey } from '../../apikeys/api-key.ts'
import { parseKey } from '../../apikeys/format.ts'
import { readToken } from '../../client/bearer-auth.ts'
import { UsageError } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { type Failure, failureOf } from '../failure.ts'
import type { LocalOutcome } from '../local-command.ts'
import { entryLine } from '../printable.ts'
import { confirm, confirmHelp, confirmOptions } from './confirm.ts'
import type { KeysDatabase } from './database.ts'
import { bulkExit, keysCommand } from './keys-command.ts'
import { secretInput } from './secret-input.ts'
import { chunks, keyIdOf, keysText, ownerOf, ownerText } from './words.ts'

/** Keys of one transaction. */
const atOnce = 1000
/** Keys that are named before somebody confirms. */
const named = 10

/** `mcp-bearer keys revoke`: the end of a key, for good. */
export const revoke = keysCommand({
  summary: 'end keys for good',
  usage: 'revoke ID… | --owner WHO | --leaked WHERE [options]',
  about: `Ends keys for good; servers refuse them within 5 seconds. Asks before it ends more than one.
--leaked takes a key that was found somewhere, and ends it if it is one of this database.

  mcp-bearer keys revoke 4fVqmPzLk2aB --reason 'laptop lost'
  mcp-bearer keys revoke --owner user:alice@example.com
  pbpaste | mcp-bearer keys revoke --leaked -`,
  optionsHelp: `  --owner WHO        all keys of this owner: an id, or type:id
  --leaked WHERE     the key itself: - for standard input, env:NAME or file:PATH
  --reason TEXT      why, for the audit log
${confirmHelp}`,
  options: {
    owner: { type: 'string' },
    leaked: { type: 'string' },
    reason: { type: 'string' },
    ...confirmOptions,
  },
  words: [0, 10_000],
  async run({ values, words, terminal, signal, open }) {
    const { owner, leaked, reason, yes = false, 'dry-run': dryRun = false } = values
    if ([words.length > 0, owner !== undefined, leaked !== undefined].filter(Boolean).length !== 1)
      throw new UsageError('which keys? Give ids, or --owner, or --leaked')
    if (leaked !== undefined) {
      if (dryRun) throw new UsageError('--leaked has no --dry-run; mcp-bearer keys check tells the id')
      const found = readToken(await secretInput(leaked, 'a key', terminal, signal))
      if (found.fault !== undefined) throw new UsageError(`--leaked: the key ${found.fault}`)
      return revokeLeaked(found.token, await open(), reason)
    }
    const ids = [...new Set(words.map(keyIdOf))]
    const who = owner === undefined ? undefined : ownerOf(owner)
    const database = await open()
    const asked = who ? await keysOf(who, database, signal) : await keysById(ids, database)
    if (who && asked.length === 0) throw new RangeError(`there is no key of ${ownerText(who)} to revoke`)
    if (dryRun) {
      return {
        json: { dryRun, keys: asked },
        lines: [`Would revoke ${keysText(asked.length)}:`, ...lines(asked)],
      }
    }
    if ((who || ids.length > 1) && !yes) {
      const what = [`This revokes ${keysText(asked.length)}, for good:`, ...lines(asked)]
      await confirm(what, asked.length, terminal, signal)
    }
    return revokeAll(asked, database, reason, signal)
  },
})

/** What a key is called before it is known whether it exists. */
type Asked = Pick<ApiKey, 'id'> & Partial<ApiKey>

async function keysById(ids: readonly string[], { keys }: KeysDatabase): Promise<Asked[]> {
  return Promise.all(ids.map(async (id) => (await keys.get(id)) ?? { id }))
}

async function keysOf(
  owner: ReturnType<typeof ownerOf>,
  { keys }: KeysDatabase,
  signal: AbortSignal,
): Promise<Asked[]> {
  const found: Asked[] = []
  for await (const key of keys.all({ owner: owner.id })) {
    signal.throwIfAborted()
    const isAsked = owner.type === undefined || owner.type === key.owner.type
    if (isAsked && key.status !== 'revoked') found.push(key)
  }
  return found
}

function lines(keys: readonly Asked[]): string[] {
  const first = keys
    .slice(0, named)
    .map(
      ({ id, name = 'there is no such key', owner, status = '' }) =>
        `  ${entryLine(id, name, owner ? ownerText(owner) : '', status)}`,
    )
  return keys.length > named ? [...first, `  and ${keys.length - named} more`] : first
}

async function revokeAll(
  asked: readonly Asked[],
  { keys, by }: KeysDatabase,
  reason: string | undefined,
  signal: AbortSignal,
): Promise<LocalOutcome> {
  const [only] = asked
  if (only && asked.length === 1) {
    const apiKey = await keys.revoke(only.id, by(reason))
    return { json: { revoked: [apiKey], failed: [] }, lines: [revokedLine(apiKey)] }
  }
  const revoked: ApiKey[] = []
  const failed: { readonly id: string; readonly error: Failure }[] = []
  let exit = exitCode.ok
  for (const chunk of chunks(asked, atOnce)) {
    // What is done is done, and is reported; the rest is told as failed.
    const results = signal.aborted
      ? chunk.map(() => ({ ok: false as const, error: new Error('Interrupted before this one') }))
      : await keys.revokeMany(
          chunk.map(({ id }) => id),
          by(reason),
        )
    for (const [at, result] of results.entries()) {
      if (result.ok) revoked.push(result.value)
      else {
        failed.push({ id: chunk[at]!.id, error: failureOf(result.error, false).failure })
        exit = Math.max(exit, bulkExit(result.error))
      }
    }
  }
  return {
    json: { revoked, failed },
    lines: [...revoked.map(revokedLine), ...failed.map(failedLine)],
    exit,
  }
}

function revokedLine({ id, name }: ApiKey): string {
  return entryLine(`Revoked ${id}`, name)
}

function failedLine({ id, error }: { readonly id: string; readonly error: Failure }): string {
  return entryLine(`NOT revoked: ${id}`, error.message)
}

/** Says the same whether the key existed: `show` tells it to those who may know. */
async function revokeLeaked(
  key: string,
  { keys, by }: KeysDatabase,
  reason: string | undefined,
): Promise<LocalOutcome> {
  await keys.revokeLeaked(key, by(reason))
  const parsed = parseKey(key)
  const id = typeof parsed === 'string' ? undefined : parsed.id
  const line = 'Done. If this is a key of this database, it is revoked now.'
  return {
    json: { ok: true, ...(id !== undefined && { id }) },
    lines: [line, ...(id === undefined ? [] : [`mcp-bearer keys show ${id} tells.`])],
  }
}
