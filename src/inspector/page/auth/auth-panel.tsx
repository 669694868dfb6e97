import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { config, identity, refusal, token } from '../state.ts'
import { CheckPanel } from './check-panel.tsx'
import { firstLook } from './check-state.ts'
import { IdentityView } from './identity-view.tsx'
import { LastAnswer } from './last-answer.tsx'
import { TokenView } from './token-view.tsx'
import { watchIdentity } from './whoami.ts'

/** Whether the server takes the token, for whom, and whether it protects itself. */
export function AuthPanel(): JSX.Element {
  useEffect(() => {
    watchIdentity()
    void firstLook()
  }, [])
  return (
    <>
      <section class="card stack" aria-labelledby="auth-title">
        <h2 id="auth-title">Authentication</h2>
        <LastAnswer />
        <Caller />
      </section>
      <CheckPanel />
    </>
  )
}

function Caller(): JSX.Element | null {
  if (token.value === '') {
    return refusal.value ? null : <p class="quiet">No token is in use.</p>
  }
  if (identity.value) {
    return (
      <>
        <h3>The server says you are</h3>
        <IdentityView who={identity.value} />
      </>
    )
  }
  // A server that refused says more than the token does; both together say why.
  const isAsked = config.value.whoami !== undefined && !refusal.value
  return isAsked ? <p class="quiet">The server is asked who you are.</p> : <TokenView />
}
