import type { ApiKeys, By, CreatedApiKey, NewApiKey } from '../../apikeys/api-key.ts'
import { exitCode } from '../exit-codes.ts'
import { localFailure } from '../local-command.ts'
import { printableJson, printableLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { chunks, keysText } from './words.ts'

/** Keys of one transaction. */
const atOnce = 1000

/** Where keys are made, and how they are printed. */
export interface Bulk {
  readonly keys: ApiKeys
  readonly quiet: boolean
  readonly json: boolean
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/**
 * Makes many keys and prints each once. What is durable is printed: after Ctrl-C, or a failure on the way, no key exists
 * that was not shown.
 *
 * @returns the exit code
 */
export async function createMany(key: NewApiKey, count: number, by: By, bulk: Bulk): Promise<number> {
  const { json, terminal, signal } = bulk
  const made: CreatedApiKey[] = []
  let failed: ReturnType<typeof localFailure> | undefined
  try {
    await makeAll(key, count, by, bulk, (one) => {
      if (json) made.push(one)
      else terminal.line(lineOf(one, bulk.quiet))
    })
  } catch (error) {
    failed = localFailure(error, signal.aborted)
  }
  if (json) terminal.line(printableJson({ keys: made, ...(failed && { error: failed.failure }) }))
  else if (failed)
    terminal.note(`mcp-bearer: not all of ${keysText(count)} were made: ${failed.failure.message}`)
  else terminal.note(`${keysText(count)}, not shown again.`)
  return failed?.exit ?? exitCode.ok
}

/** @throws the first error, when all that could be made of the same thousand is told */
async function makeAll(
  key: NewApiKey,
  count: number,
  by: By,
  { keys, signal }: Bulk,
  tell: (one: CreatedApiKey) => void,
): Promise<void> {
  const wanted = Array.from({ length: count }, (_none, at) => ({ ...key, name: `${key.name}-${at + 1}` }))
  for (const chunk of chunks(wanted, atOnce)) {
    signal.throwIfAborted()
    const results = await keys.createMany(chunk, by)
    for (const result of results) if (result.ok) tell(result.value)
    for (const result of results) if (!result.ok) throw result.error
  }
}

function lineOf({ key, apiKey }: CreatedApiKey, quiet: boolean): string {
  return quiet ? key : `${key}  ${printableLine(apiKey.name, 64)}`
}
