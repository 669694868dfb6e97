import type { JSX } from 'preact'
import { type Problem, problemWords } from '../mcp/problem.ts'
import { JsonView } from '../ui/json-view.tsx'
import { plain } from '../ui/plain.ts'
import { LongText } from './long-text.tsx'

/** What went wrong, what to do, and what the server said. */
export function ProblemView({ problem }: { readonly problem: Problem }): JSX.Element {
  const { title, advice, said } = problemWords(problem)
  const data = problem.kind === 'rpc' ? problem.data : undefined
  return (
    <div class={problem.kind === 'cancelled' ? 'notice stack tight' : 'notice bad stack tight'} role="alert">
      <p>
        <strong>{title}.</strong> {plain(advice)}
      </p>
      {said !== '' && <LongText text={said} name="answer" first={600} />}
      {data !== undefined && <JsonView value={data} />}
    </div>
  )
}
