import { type BigIntStats, type FSWatcher, statSync, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { checkOptions, numberBetween } from '../../core/options.ts'

/** How a file is watched. */
export interface WatchFileOptions {
  /** Milliseconds between two looks, for what the system does not tell of. 1,000 to 3,600,000. Default: 2,000. */
  readonly everyMs?: number
  /** Milliseconds from the first sign of a change to a look: an editor writes in several steps. 1 to 10,000. Default: 100. */
  readonly afterMs?: number
}

/**
 * Says when a file has changed: written to, replaced by another one as editors do, or reached through a symbolic link
 * that now leads elsewhere, as a ConfigMap of Kubernetes is updated. Several changes at once are one. A file that is
 * gone has not changed; one that comes back has. Does not keep the process alive.
 *
 * @param path the file; it need not exist
 * @param changed called after each change; what it throws is dropped
 * @returns what ends it; after that `changed` is not called any more
 * @throws TypeError naming the option that is out of bounds; Error when the folder may not be looked into
 *
 * @example
 * ```ts
 * import { gatewayPolicy, readGatewayFile, watchFile } from 'mcp-bearer/gateway'
 *
 * const stop = watchFile('gateway.yaml', async () => {
 *   const { policy } = await readGatewayFile('gateway.yaml')
 *   if (policy) gatewayPolicy(policy)
 * })
 * stop()
 * ```
 */
export function watchFile(path: string, changed: () => unknown, options: WatchFileOptions = {}): () => void {
  checkOptions('watchFile', options, ['everyMs', 'afterMs'])
  const everyMs = numberBetween('watchFile: everyMs', options.everyMs ?? 2000, 1000, 3_600_000)
  const afterMs = numberBetween('watchFile: afterMs', options.afterMs ?? 100, 1, 10_000)
  const file = resolve(path)
  let isOver = false
  // At once: what changes after this is told.
  let last = Promise.resolve(printOf(statSync(file, { bigint: true, throwIfNoEntry: false })))
  let waiting: NodeJS.Timeout | undefined

  const look = () => {
    waiting = undefined
    last = Promise.all([last, printNow(file)]).then(([before, now]) => {
      if (now === undefined || now === before || isOver) return before
      tell(changed)
      return now
    })
  }
  /** Bursts end: the first of them sets the time. */
  const soon = () => {
    waiting ??= setTimeout(look, afterMs).unref()
  }
  const watcher = watching(dirname(file), soon)
  const regularly = setInterval(soon, everyMs).unref()
  return () => {
    isOver = true
    clearTimeout(waiting)
    clearInterval(regularly)
    watcher?.close()
  }
}

/** Where the system tells of nothing, looking now and then has to do. */
function watching(folder: string, soon: () => void): FSWatcher | undefined {
  try {
    return watch(folder, { persistent: false }, soon).on('error', () => {})
  } catch {
    return undefined
  }
}

async function printNow(file: string): Promise<string | undefined> {
  try {
    return printOf(await stat(file, { bigint: true }))
  } catch {
    return undefined
  }
}

/** What tells one state of a file from another: links are followed, and a file in place of another has its own number. */
function printOf(stats: BigIntStats | undefined): string | undefined {
  if (stats === undefined) return undefined
  const { dev, ino, size, mtimeNs, ctimeNs } = stats
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

function tell(changed: () => unknown): void {
  try {
    Promise.resolve(changed()).catch(() => {})
  } catch {
    // Who is told says what went wrong.
  }
}
