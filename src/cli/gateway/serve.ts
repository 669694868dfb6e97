import type { Listening } from '../../server/listen.ts'
import { UsageError } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { printableJson } from '../printable.ts'
import { addressText } from './address.ts'
import { type Assembly, assemble, warningsOf } from './assembly.ts'
import type { Flags } from './flags.ts'
import { listenForMetrics } from './metrics.ts'
import { type Reloading, reloading } from './reload.ts'
import type { Reader } from './settings.ts'
import { stopping } from './stopping.ts'
import { factsJson, type Started, startLines } from './texts.ts'

/** Runs a gateway until it is stopped. */
export async function serve(flags: Flags, reader: Reader): Promise<number> {
  const assembly = await assemble(flags, reader, false)
  const { log } = assembly
  let metrics: Listening | undefined
  let reload: Reloading | undefined
  try {
    const { listening, busyPort } = await listen(assembly)
    metrics = assembly.metrics && (await listenForMetrics(assembly.metrics, assembly.counts))
    reload = reloadOf(flags, assembly)
    // Before anybody can know the address, and ends with it.
    using stop = stopping(reload && (() => void reload?.reload()))
    const first = await assembly.keys?.first()
    const { url, port } = listening
    tell(assembly, { url, port, busyPort, metrics: metrics?.url, first }, flags, reader)
    const signal = await stop.asked
    log.logger({ level: 'info', event: 'stopping', message: `${signal}: what is under way may finish` })
    reload?.[Symbol.dispose]()
    return await Promise.race([closed(assembly, metrics).then(() => exitCode.ok), stop.insisted])
  } catch (error) {
    reload?.[Symbol.dispose]()
    await closed(assembly, metrics)
    throw error
  }
}

/** A port nobody asked for makes way; one that was asked for is not replaced by another. */
async function listen({
  gateway,
  address,
  isUsualAddress,
  settings: { path },
}: Assembly): Promise<{ listening: Listening; busyPort: number | undefined }> {
  const options = { ...address, ...(path !== undefined && { path }), closeOnSigterm: false }
  try {
    return { listening: await gateway.listen(options), busyPort: undefined }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    if (isUsualAddress) {
      return { listening: await gateway.listen({ ...options, port: 0 }), busyPort: address.port }
    }
    throw new UsageError(
      `${addressText(address)} is taken by another program; give another port, or --listen 0 for any free one`,
    )
  }
}

function reloadOf({ values }: Flags, { file, gateway, log }: Assembly): Reloading | undefined {
  if (values.config === undefined) return undefined
  const usePolicy = gateway.usePolicy.bind(gateway)
  return reloading({ path: values.config, file, values, usePolicy, logger: log.logger })
}

function tell(assembly: Assembly, started: Started, { values }: Flags, { terminal }: Reader): void {
  const { url, port, metrics, first } = started
  if (values.json) {
    const { pid } = process
    const key = first && { key: first.key, keyId: first.apiKey.id }
    terminal.line(printableJson({ url, port, pid, metrics, ...key, ...factsJson(assembly) }))
  } else {
    for (const line of startLines(assembly, started, terminal.style)) terminal.line(line)
  }
  const { logger, kind } = assembly.log
  for (const message of warningsOf(assembly)) logger({ level: 'warn', event: 'configuration', message })
  if (kind === 'text') terminal.note('\nPress Ctrl+C to stop.')
  else logger({ level: 'info', event: 'started', message: `listening on ${url}` })
}

async function closed({ close }: Assembly, metrics: Listening | undefined): Promise<void> {
  await Promise.all([close(), metrics?.close()])
}
