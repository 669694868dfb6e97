import type { JSX } from 'preact'
import { memberOf } from '../mcp/message.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import type { Run } from './runs.ts'

/** How a run ended, in a word, and how long it took. */
export function RunState({ run }: { readonly run: Run }): JSX.Element {
  const [words, tone] = stateOf(run)
  return (
    <>
      <Badge tone={tone}>{words}</Badge>
      {run.ms !== undefined && <span class="quiet small">{`${run.ms} ms`}</span>}
    </>
  )
}

function stateOf({ state, problem, result }: Run): [string, Tone | undefined] {
  if (state === 'running') return ['running', 'accent']
  if (problem?.kind === 'cancelled') return ['cancelled', undefined]
  if (problem?.kind === 'refused') return ['refused', 'bad']
  if (state === 'failed') return ['failed', 'bad']
  return memberOf(result, 'isError') === true ? ['the tool failed', 'bad'] : ['done', 'good']
}
