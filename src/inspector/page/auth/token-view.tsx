import type { JSX } from 'preact'
import { systemClock } from '../../../core/clock.ts'
import { readToken } from '../../token/reading.ts'
import { token } from '../state.ts'
import { Expiry } from './expiry.tsx'
import { ClaimTable } from './identity-view.tsx'
import { Scopes } from './scopes.tsx'

/** What the token says of itself, where nobody who verified it can be asked. */
export function TokenView(): JSX.Element {
  const reading = readToken(token.value, systemClock())
  const { header, claims, scopes, times, key, warnings, advice } = reading
  return (
    <div class="stack">
      <p class="notice">Not verified: this is what the token says.</p>
      <p>{reading.headline}</p>
      {[...warnings, ...advice].length > 0 && (
        <ul class="small stack tight" aria-label="What to know of the token">
          {warnings.map((line) => (
            <li key={line} class="notice warn">
              {line}
            </li>
          ))}
          {advice.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {key && (
        <dl class="facts">
          <div>
            <dt>Key id</dt>
            <dd>
              <code>{key.id}</code>
            </dd>
          </div>
        </dl>
      )}
      {scopes && (
        <dl class="facts">
          <div>
            <dt>Scopes</dt>
            <dd>
              <Scopes scopes={scopes} />
            </dd>
          </div>
        </dl>
      )}
      {times?.exp && (
        <p>
          It <Expiry at={times.exp.date} />.
        </p>
      )}
      {claims && (
        <details>
          <summary class="small">Claims, not verified</summary>
          <ClaimTable caption="Claims of the token, not verified" lines={claims} />
        </details>
      )}
      {header && (
        <details>
          <summary class="small">Header of the token</summary>
          <ClaimTable caption="Header of the token" lines={header} />
        </details>
      )}
    </div>
  )
}
