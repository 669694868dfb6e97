import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { AuthPanel } from './auth/auth-panel.tsx'
import { HttpLog } from './log/http-log.tsx'
import { Panels } from './panels/panels.tsx'
import { Header } from './shell/header.tsx'
import { SkipLinks } from './shell/skip-links.tsx'
import { TokenBox } from './shell/token-box.tsx'
import { Announcer } from './ui/announcer.tsx'
import { keepFocus } from './ui/keep-focus.ts'

/** The inspector. */
export function App(): JSX.Element {
  useEffect(() => keepFocus(document.body), [])
  return (
    <div class="shell">
      <SkipLinks
        to={[
          ['token-title', 'Skip to the token'],
          ['main', 'Skip to tools, resources and prompts'],
          ['log-title', 'Skip to the HTTP log'],
        ]}
      />
      <Header />
      <div class="sides">
        <aside class="side stack" aria-label="Token and authentication">
          <TokenBox />
          <AuthPanel />
        </aside>
        <main id="main" tabIndex={-1}>
          <Panels />
        </main>
      </div>
      <HttpLog />
      <Announcer />
    </div>
  )
}
