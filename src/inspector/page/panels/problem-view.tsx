import type { JSX } from 'preact'
import { type Problem, problemWords } from '../mcp/problem.ts'
import { token } from '../state.ts'
import { JsonView } from '../ui/json-view.tsx'
import { plain } from '../ui/plain.ts'
import { LongText } from './long-text.tsx'

/** What went wrong, what to do, and what the server said. That a token is wanted where there is none is no alarm. */
export function ProblemView({ problem }: { readonly problem: Problem }): JSX.Element {
  const { title, advice, said } = problemWords(problem)
  const data = problem.kind === 'rpc' ? problem.data : undefined
  const isWanted = problem.kind === 'refused' && problem.status === 401 && token.value === ''
  const isCalm = isWanted || problem.kind === 'cancelled'
  return (
    <div
      class={isCalm ? 'notice stack tight' : 'notice bad stack tight'}
      role={isWanted ? 'status' : 'alert'}
    >
      <p>
        <strong>{title}.</strong> {plain(advice)}
      </p>
      {said !== '' && !isWanted && <LongText text={said} name="answer" first={600} />}
      {data !== undefined && <JsonView value={data} />}
    </div>
  )
}
