import { exitCode } from '../exit-codes.ts'
import { printable, printableJson } from '../printable.ts'
import { addressText } from './address.ts'
import { assemble, warningsOf } from './assembly.ts'
import type { Flags } from './flags.ts'
import type { Reader } from './settings.ts'
import { factLines, facts, factsJson } from './texts.ts'

/** `--check`: says what would be served, and serves nothing. */
export async function check(flags: Flags, reader: Reader): Promise<number> {
  const { terminal } = reader
  const assembly = await assemble(flags, reader, true)
  await assembly.close()
  const url = `http://${addressText(assembly.address)}${assembly.settings.path ?? '/mcp'}`
  const metrics = assembly.metrics && `http://${addressText(assembly.metrics)}/metrics`
  const warnings = warningsOf(assembly)
  if (flags.values.json) {
    terminal.line(printableJson({ ok: true, url, metrics, ...factsJson(assembly), warnings }))
    return exitCode.ok
  }
  terminal.line(terminal.style('bold', 'Good. This would be served'))
  const all = [['at', url], ...facts(assembly), ...(metrics ? [['metrics', metrics]] : [])] as [
    string,
    string,
  ][]
  for (const line of factLines(all, terminal.style)) terminal.line(`  ${line}`)
  for (const warning of warnings) terminal.note(`mcp-bearer: warning: ${printable(warning)}`)
  return exitCode.ok
}
