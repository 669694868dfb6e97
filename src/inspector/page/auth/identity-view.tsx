import type { JSX } from 'preact'
import type { WhoAmI } from '../../../server/pages/inspector-config.ts'
import { plain, short } from '../ui/plain.ts'
import { Expiry } from './expiry.tsx'
import { Scopes } from './scopes.tsx'

/** Who the server says the caller is: what its verifier made of the token. */
export function IdentityView({ who }: { readonly who: WhoAmI }): JSX.Element {
  if (!who.authenticated) {
    return <p class="notice warn">The server lets everybody in: it did not look at the token.</p>
  }
  const { scopes, tools, claims } = who
  const expiresAt = dateOf(who.expiresAt)
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['Subject', who.subject],
    ['Client', who.clientId],
    ['Issuer', who.issuer],
  ]
  return (
    <div class="stack">
      <dl class="facts" aria-label="Who you are">
        {lines
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <code>{short(value ?? '', 500)}</code>
              </dd>
            </div>
          ))}
        {scopes && (
          <div>
            <dt>Scopes</dt>
            <dd>
              <Scopes scopes={scopes} />
            </dd>
          </div>
        )}
        {tools && (
          <div>
            <dt>Only these tools</dt>
            <dd>{tools.length === 0 ? 'none' : short(tools.join(', '), 2000)}</dd>
          </div>
        )}
        {expiresAt && (
          <div>
            <dt>Time</dt>
            <dd>
              <Expiry at={expiresAt} />
            </dd>
          </div>
        )}
      </dl>
      {claims && Object.keys(claims).length > 0 && <Claims claims={claims} />}
    </div>
  )
}

function dateOf(text: string | undefined): Date | undefined {
  const date = new Date(text ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function Claims({ claims }: { readonly claims: Readonly<Record<string, unknown>> }): JSX.Element {
  return (
    <details>
      <summary class="small">Claims</summary>
      <ClaimTable
        caption="Claims the server verified"
        lines={Object.entries(claims).map(([name, value]) => ({
          name,
          value: typeof value === 'string' ? value : JSON.stringify(value),
        }))}
      />
    </details>
  )
}

interface Line {
  readonly name: string
  readonly value: string
  /** What the value says. */
  readonly words?: string
  /** What such a claim is for. */
  readonly meaning?: string
}

/** Names and values, with what a value means where that is known. */
export function ClaimTable({
  caption,
  lines,
}: {
  readonly caption: string
  readonly lines: readonly Line[]
}): JSX.Element {
  return (
    <div class="scroll">
      <table class="table">
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ name, value, words, meaning }, at) => (
            // Names are cut, and may then be equal.
            <tr key={String(at)}>
              <td>
                <code>{short(name)}</code>
                {meaning !== undefined && <div class="quiet small">{meaning}</div>}
              </td>
              <td>
                <code>{plain(value.slice(0, 10_000))}</code>
                {words !== undefined && <span class="quiet"> {words}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
