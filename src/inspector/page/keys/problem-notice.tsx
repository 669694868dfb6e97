import type { JSX } from 'preact'
import { config } from '../state.ts'
import type { Problem } from './keys-api.ts'

/** Why something was not done, and what to do about it. */
export function ProblemNotice({ problem }: { readonly problem: Problem }): JSX.Element {
  const { status, words, challenge } = problem
  return (
    <div class="notice bad stack tight" role="alert">
      <p>{words}</p>
      {(status === 401 || status === 403) && <p>{adviceFor(status)}</p>}
      {challenge && <ChallengeFacts problem={problem} />}
    </div>
  )
}

function adviceFor(status: number): string {
  if (config.value.kind === 'keys') return 'Start the program again and open the address that it prints.'
  if (status === 401)
    return 'Give the page a token with the scope keys:admin. It may have expired or been revoked.'
  return 'Whoever makes and ends keys needs a token with the scope keys:admin.'
}

/** What the server says it wants (RFC 6750 section 3). */
function ChallengeFacts({ problem: { status, challenge } }: { readonly problem: Problem }): JSX.Element {
  const { realm, error, errorDescription, scopes = [] } = challenge ?? {}
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Status', String(status)],
    ['Realm', realm],
    ['Error', error],
    ['Reason', errorDescription],
    ['Scopes needed', scopes.length > 0 ? scopes.join(' ') : undefined],
  ]
  return (
    <dl class="facts">
      {facts.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="mono">{value}</dd>
            </div>
          ),
      )}
    </dl>
  )
}
