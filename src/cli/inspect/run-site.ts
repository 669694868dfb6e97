import type { LocalSite } from '../../inspector/bridge/local-site.ts'
import { UsageError } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { printable, printableJson } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { askBrowser } from './browser.ts'

/** The options of a command that shows a page. */
export const siteOptions = { port: { type: 'string' }, open: { type: 'boolean' } } as const

export const siteHelp = `  --port N           the port to listen on; otherwise any free one
  --open             start the browser of this system`

/** What is told of a page. */
export interface SiteRun {
  readonly site: LocalSite
  /** What it is a page of, for the heading. */
  readonly title: string
  /** What to do with it. */
  readonly advice: readonly string[]
  /** More facts, for programs. */
  readonly json: Readonly<Record<string, unknown>>
  readonly values: { readonly open?: boolean | undefined; readonly json?: boolean | undefined }
  readonly terminal: Terminal
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** Prints the address of a page and serves it until it is stopped. */
export async function runSite(run: SiteRun): Promise<number> {
  const { site, values, terminal } = run
  const stop = stopping(run.signal)
  const cleanUp: (() => Promise<void>)[] = [() => site.close()]
  try {
    tell(run)
    if (values.open === true) cleanUp.push(await opened(site, terminal))
    // Whoever reads JSON is no person, and has one address to read.
    if (values.json !== true) void renewals(site, terminal, stop.signal)
    await stop.asked
    return exitCode.ok
  } finally {
    stop[Symbol.dispose]()
    await Promise.allSettled(cleanUp.map((clean) => clean()))
  }
}

/** @throws UsageError */
export function sitePort(text: string | undefined): number {
  if (text === undefined) return 0
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError('--port must be a number from 0 to 65535')
}

function tell({ site, title, advice, json, values, terminal }: SiteRun): void {
  const { url, origin } = site
  if (values.json === true) {
    terminal.line(printableJson({ url, origin, ...json, pid: process.pid }))
    return
  }
  terminal.line(terminal.style('bold', printable(title)))
  terminal.line(`  ${url}`)
  terminal.line()
  for (const line of advice) terminal.line(printable(line))
  const another = process.stdin.isTTY ? 'Press Enter for another address if the page is lost, ' : 'Press '
  terminal.note(`\n${another}Ctrl+C to stop.`)
}

/** @returns what takes away what the browser needed */
async function opened({ url }: LocalSite, terminal: Terminal): Promise<() => Promise<void>> {
  try {
    const browser = await askBrowser(url)
    void browser.problem.then((problem) => problem === undefined || terminal.note(`mcp-bearer: ${problem}`))
    return () => browser.close()
  } catch {
    terminal.note('mcp-bearer: the browser could not be started; open the address yourself.')
    return async () => {}
  }
}

/** A new address each time the person presses Enter. Ends with the program, and where nobody is there to press it. */
async function renewals(site: LocalSite, terminal: Terminal, signal: AbortSignal): Promise<void> {
  try {
    while (!signal.aborted) {
      const line = await terminal.ask('', signal)
      // At its end standard input gives empty lines, as many as are asked for.
      if (line === undefined || process.stdin.readableEnded) return
      terminal.line(`  ${site.renew()}`)
      terminal.note(
        'The address before is good for nothing any more; a page that is open stays until this one is opened.',
      )
    }
  } catch {
    // It is being stopped.
  }
}

interface Stopping extends Disposable {
  readonly asked: Promise<void>
  readonly signal: AbortSignal
}

/** Ctrl-C, or what the system says when it wants a program to end. */
function stopping(interruption: AbortSignal): Stopping {
  const controller = new AbortController()
  const stop = () => controller.abort()
  const asked = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.once(name, stop)
  if (interruption.aborted) stop()
  else interruption.addEventListener('abort', stop, { once: true })
  return {
    asked,
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of ['SIGTERM', 'SIGHUP'] as const) process.off(name, stop)
      interruption.removeEventListener('abort', stop)
      // Ends the waiting for Enter, too.
      stop()
    },
  }
}
