import type { ApiKey, BulkResult, ImportedApiKey } from '../../apikeys/api-key.ts'
import { readSecretFile } from '../../client/stores/secret-file.ts'
import { redact } from '../../core/index.ts'
import { UsageError } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import type { LocalOutcome } from '../local-command.ts'
import { entryLine, printableLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import type { KeysDatabase } from './database.ts'
import { type ImportLine, importLines } from './import-lines.ts'
import { bulkExit, keysCommand } from './keys-command.ts'
import { standardInput } from './secret-input.ts'
import { chunks, oneOf } from './words.ts'

/** Bytes: some 200,000 keys. */
const longestImport = 67_108_864
/** Keys of one transaction. */
const atOnce = 1000

/** What became of a line. */
interface Imported {
  readonly line: number
  readonly id?: string
  readonly name?: string
  readonly error?: string
  readonly exit: number
}

/** `mcp-bearer keys import`: keys that exist elsewhere. */
export const importKeys = keysCommand({
  summary: 'take over keys that exist elsewhere',
  usage: 'import FILE|- [options]',
  about: `Takes over keys as they are, one JSON object a line, from a file or standard input. Each has
"name", "owner", and either the "key" itself or its "sha256" in hex or base64; and, if
wanted, "tenant", "clientId", "scopes", "tools", "audience", "addresses", "rateLimit",
"usageLimit", "notBefore", "expiresAt", "metadata". A line that is wrong does not stop the
others, and makes the exit code 1. Servers take imported keys with the option imported: true.

  mcp-bearer keys import old-keys.jsonl --dry-run
  {"name":"ci","owner":"build","sha256":"9f86d0…","scopes":["reports:read"]}`,
  optionsHelp: `  --env live|test    what servers they are for; otherwise live
  --reason TEXT      why, for the audit log
  --dry-run          check each line, and do nothing; keys there are already are not looked up`,
  options: { env: { type: 'string' }, reason: { type: 'string' }, 'dry-run': { type: 'boolean' } },
  words: [1, 1],
  async run({ values, words: [source = ''], terminal, signal, open }) {
    const { env, reason, 'dry-run': dryRun = false } = values
    const environment = env === undefined ? undefined : oneOf(env, '--env', ['live', 'test'])
    const text = await textOf(source, terminal, signal)
    const lines = importLines(text)
    if (lines.length === 0) throw new UsageError('there is nothing to import: no line holds anything')
    const database = dryRun ? await nowhere() : await open({ make: true, environment })
    return report(await importAll(lines, database, reason, signal), dryRun)
  },
})

async function textOf(source: string, terminal: Terminal, signal: AbortSignal): Promise<string> {
  if (source !== '-') {
    const found = await readSecretFile(source, longestImport)
    if ('fault' in found) throw new UsageError(`${printableLine(redact(source), 200)} ${found.fault}`)
    return found.text
  }
  return standardInput(longestImport, terminal, signal)
}

/** A database in which nothing is kept. */
async function nowhere(): Promise<Pick<KeysDatabase, 'keys' | 'by'>> {
  const [{ apiKeys }, { memoryKeyStore }] = await Promise.all([
    import('../../apikeys/api-keys.ts'),
    import('../../apikeys/stores/memory.ts'),
  ])
  return { keys: apiKeys({ store: memoryKeyStore() }), by: () => ({}) }
}

async function importAll(
  lines: readonly ImportLine[],
  { keys, by }: Pick<KeysDatabase, 'keys' | 'by'>,
  reason: string | undefined,
  signal: AbortSignal,
): Promise<Imported[]> {
  const done: Imported[] = []
  for (const chunk of chunks(lines, atOnce)) {
    const good = chunk.filter((line) => line.key !== undefined)
    // What is done is done, and is reported; the rest is told as failed.
    const results = signal.aborted
      ? []
      : await keys.import(
          good.map(({ key }) => key as ImportedApiKey),
          by(reason),
        )
    const found = new Map(good.map((line, at) => [line, results[at]]))
    for (const line of chunk) done.push(imported(line, found.get(line)))
  }
  return done
}

function imported({ line, fault, secrets }: ImportLine, result: BulkResult<ApiKey> | undefined): Imported {
  if (result?.ok) return { line, id: result.value.id, name: result.value.name, exit: exitCode.ok }
  const message = result?.error.message.replace(itemName, '') ?? fault ?? 'Interrupted before this one'
  // Whatever the reason repeats, it does not repeat the key.
  return { line, error: printableLine(redact(message, secrets), 500), exit: bulkExit(result?.error) }
}

/** What the reason calls the item; the person knows it by its line. */
const itemName = /^import(?:\[\d+\])?(?:: |\.)/

function report(done: readonly Imported[], dryRun: boolean): LocalOutcome {
  const failed = done.filter(({ exit }) => exit !== exitCode.ok).length
  const verb = dryRun ? 'good' : 'imported'
  return {
    json: {
      ...(dryRun && { dryRun }),
      imported: done.length - failed,
      failed,
      lines: done.map(({ exit: _exit, ...told }) => told),
    },
    lines: [
      ...done.map(({ line, id = '', name = '', error }) =>
        error === undefined
          ? entryLine(`line ${line}: ${verb}`, id, name)
          : entryLine(`line ${line}: NOT ${verb}:`, error),
      ),
      `${done.length - failed} ${verb}, ${failed} failed.`,
    ],
    exit: done.reduce((worst, { exit }) => Math.max(worst, exit), exitCode.ok),
  }
}
