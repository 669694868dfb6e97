import { printableLine } from './printable.ts'

const cells = 20

/** One line for how far a tool is (MCP "Progress"). */
export function progressText(report: {
  readonly progress: number
  readonly total?: number | undefined
  readonly message?: string | undefined
}): string {
  const { progress, total, message = '' } = report
  const words = printableLine(message, 60)
  if (total === undefined || !(total > 0)) return `${progress} ${words}`.trimEnd()
  const part = Math.min(Math.max(progress / total, 0), 1)
  const full = Math.round(part * cells)
  const bar = `[${'#'.repeat(full)}${'-'.repeat(cells - full)}]`
  return `${bar} ${Math.round(part * 100)}% ${words}`.trimEnd()
}
