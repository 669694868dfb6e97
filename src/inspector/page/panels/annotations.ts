import { memberOf, textOf } from '../mcp/message.ts'
import type { Tone } from '../ui/badge.tsx'
import { short } from '../ui/plain.ts'
import type { Item } from './item.ts'

/** Something the server says of a component. It is a claim, not a promise (MCP "Tools", "Annotations"). */
export interface Fact {
  readonly text: string
  readonly tone: Tone | undefined
}

/** What the server says of a tool or resource, in words. */
export function annotationWords({ kind, listed }: Item): readonly Fact[] {
  const annotations = memberOf(listed, 'annotations')
  return kind === 'tool' ? [...taskFacts(listed), ...toolFacts(annotations)] : plainFacts(listed)
}

/** A tool that runs as a task only (MCP 2025-11-25 "Tasks") answers every other call with an error. */
function taskFacts(listed: unknown): readonly Fact[] {
  const support = memberOf(memberOf(listed, 'execution'), 'taskSupport')
  return support === 'required' ? [{ text: 'runs as a task only, which this page cannot', tone: 'warn' }] : []
}

function toolFacts(annotations: unknown): readonly Fact[] {
  const says = (hint: string) => memberOf(annotations, hint)
  const facts: Fact[] = []
  if (says('readOnlyHint') === true) facts.push({ text: 'only reads', tone: 'good' })
  else if (says('destructiveHint') === true) facts.push({ text: 'may destroy something', tone: 'bad' })
  else if (says('destructiveHint') === false)
    facts.push({ text: 'changes, and destroys nothing', tone: undefined })
  else if (says('readOnlyHint') === false) facts.push({ text: 'changes something', tone: 'warn' })
  if (says('idempotentHint') === true) facts.push({ text: 'twice is like once', tone: undefined })
  if (says('openWorldHint') === true) facts.push({ text: 'reaches other systems', tone: undefined })
  if (says('openWorldHint') === false) facts.push({ text: 'stays within its own system', tone: undefined })
  return facts
}

function plainFacts(listed: unknown): readonly Fact[] {
  const type = textOf(listed, 'mimeType')
  const size = memberOf(listed, 'size')
  return [
    ...(type === undefined ? [] : [{ text: short(type, 100), tone: undefined }]),
    ...(typeof size === 'number' ? [{ text: `${size} bytes`, tone: undefined }] : []),
  ]
}
