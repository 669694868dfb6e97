import type { JSX } from 'preact'
import type { BearerChallenge } from '../../../core/index.ts'
import { statusWords } from '../log/status-text.ts'
import { type Refusal, refusal } from '../state.ts'
import { Badge } from '../ui/badge.tsx'
import { Code } from '../ui/code.tsx'
import { plain, short } from '../ui/plain.ts'
import { SafeLink } from '../ui/safe-link.tsx'
import { adviceFor } from './advice.ts'
import { Scopes } from './scopes.tsx'

/** What the server last said of the credential, taken apart, and what to do about it. Nothing when it had nothing to say. */
export function LastAnswer(): JSX.Element {
  const said = refusal.value
  return (
    <div aria-live="polite" id="last-answer">
      {said && <Said {...said} />}
    </div>
  )
}

function Said(said: Refusal): JSX.Element {
  const { status, withToken, header, challenge, body } = said
  return (
    <div class="stack">
      <p class="row">
        <Badge tone="bad">{statusWords(status)}</Badge>
        <span class="small quiet">{withToken ? 'with your token' : 'without a token'}</span>
      </p>
      <p>{plain(adviceFor(said))}</p>
      {challenge ? (
        <Challenge {...challenge} />
      ) : (
        <p class="small quiet">
          {header === ''
            ? 'There is no WWW-Authenticate header.'
            : 'Its WWW-Authenticate header has no Bearer challenge.'}
        </p>
      )}
      {(header !== '' || body !== '') && (
        <details>
          <summary class="small">As it came</summary>
          <div class="stack tight">
            {header !== '' && <Code text={`WWW-Authenticate: ${header}`} />}
            {body !== '' && <Code text={body} />}
          </div>
        </details>
      )}
    </div>
  )
}

/** The parameters of RFC 6750 section 3 and RFC 9728 section 5.1. All of it is what the server says. */
function Challenge({
  realm,
  error,
  errorDescription,
  scopes,
  resourceMetadata,
}: BearerChallenge): JSX.Element {
  const lines: readonly (readonly [string, JSX.Element | string | undefined])[] = [
    ['Realm', realm],
    ['Error', error],
    ['Description', errorDescription],
    ['Scope', scopes.length === 0 ? undefined : <Scopes scopes={scopes} />],
    ['Resource metadata', resourceMetadata === undefined ? undefined : <SafeLink href={resourceMetadata} />],
  ]
  return (
    <dl class="facts" aria-label="Challenge">
      {lines
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'string' ? short(value, 1000) : value}</dd>
          </div>
        ))}
    </dl>
  )
}
