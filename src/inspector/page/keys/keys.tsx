import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { HttpLog } from '../log/http-log.tsx'
import { Header } from '../shell/header.tsx'
import { SkipLinks } from '../shell/skip-links.tsx'
import { TokenBox } from '../shell/token-box.tsx'
import { config, token } from '../state.ts'
import { Announcer } from '../ui/announcer.tsx'
import { Tabs } from '../ui/tabs.tsx'
import { AuditTab } from './audit-tab.tsx'
import { CreateDialog } from './edit-dialogs.tsx'
import { KeyDetail } from './key-detail.tsx'
import { KeyList } from './key-list.tsx'
import { done, list, loadKeys, open, opened } from './keys-state.ts'
import { ProblemNotice } from './problem-notice.tsx'

/** The page for API keys: of a server that has an API for them, or of a program on this machine with a database. */
export function Keys(): JSX.Element {
  const { kind, keys } = config.value
  return (
    <>
      <SkipLinks
        to={[
          ['main', 'Skip to the keys'],
          ['log-title', 'Skip to the HTTP log'],
        ]}
      />
      <Header />
      <main class="page stack" id="main" tabIndex={-1}>
        {kind === 'server' && <TokenBox />}
        {keys === undefined ? <NoKeys /> : <KeysOfCaller />}
      </main>
      <HttpLog />
      <Announcer />
    </>
  )
}

function NoKeys(): JSX.Element {
  return (
    <p class="notice">This server has no API for keys. Mount keysAdmin on it, and load the page again.</p>
  )
}

/** What a caller may see: with each other token it is read anew. */
function KeysOfCaller(): JSX.Element {
  const needsToken = config.value.kind === 'server' && token.value === ''
  useEffect(() => {
    if (!needsToken) void loadKeys()
  }, [token.value, needsToken])
  if (needsToken) {
    return (
      <p class="notice">
        Give the page a token with the scope <code>keys:admin</code> to see the keys and to change them.
      </p>
    )
  }
  const { problem } = list.value
  if (problem && (problem.status === 401 || problem.status === 403))
    return <ProblemNotice problem={problem} />
  return <Views />
}

function Views(): JSX.Element {
  const view = useSignal<'keys' | 'audit'>('keys')
  const place = useRef<HTMLDivElement>(null)
  const key = opened.value
  const back = () => {
    opened.value = undefined
    // To where one came from, when the list is there again.
    requestAnimationFrame(() => place.current?.querySelector<HTMLElement>(`[data-key="${key?.id}"]`)?.focus())
  }
  return (
    <div class="stack" ref={place}>
      <Done />
      {key ? (
        <KeyDetail apiKey={key} onBack={back} />
      ) : (
        <Tabs
          label="Keys and their log"
          tabs={[
            { id: 'keys', title: 'Keys' },
            { id: 'audit', title: 'Audit trail' },
          ]}
          selected={view.value}
          onSelect={(id) => {
            view.value = id === 'audit' ? 'audit' : 'keys'
          }}
        >
          {view.value === 'keys' ? <AllKeys /> : <AuditTab />}
        </Tabs>
      )}
    </div>
  )
}

function AllKeys(): JSX.Element {
  const isCreating = useSignal(false)
  return (
    <div class="stack">
      <p>
        <button
          type="button"
          class="button primary"
          onClick={() => {
            isCreating.value = true
          }}
        >
          Create a key
        </button>
      </p>
      {isCreating.value && (
        <CreateDialog
          onClosed={() => {
            isCreating.value = false
          }}
        />
      )}
      <KeyList />
    </div>
  )
}

/** What was done last, for eyes and ears (WCAG 2.2, 4.1.3). */
function Done(): JSX.Element {
  const { words, id } = done.value ?? {}
  return (
    <div role="status">
      {words !== undefined && (
        <p class="notice good row between">
          <span>{words}</span>
          {id !== undefined && opened.value?.id !== id && (
            <button type="button" class="button" onClick={() => void open(id)}>
              Open it
            </button>
          )}
        </p>
      )}
    </div>
  )
}
