import type { JSX } from 'preact'
import { baseOf, viewOf } from '../config.ts'
import { shown } from '../net/shown.ts'
import { type Connection, config, connection, identity } from '../state.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import { short } from '../ui/plain.ts'

/** The head of both pages: which server this is, how far the page is with it, and where else to go. */
export function Header(): JSX.Element {
  const { kind, name, endpoint, url } = config.value
  const isKeys = viewOf(document) === 'keys'
  const { serverName, serverVersion } = connection.value
  const address = url ?? (endpoint === undefined ? undefined : location.origin + endpoint)
  return (
    <header class="head">
      <div class="stack tight grow">
        <h1>
          {isKeys && kind !== 'keys' ? `API keys of ${name}` : short(serverName ?? name, 100)}
          {!isKeys && serverVersion !== undefined && <span class="count">{short(serverVersion, 40)}</span>}
        </h1>
        {address !== undefined && (
          <p class="small">
            <code>{address}</code>
          </p>
        )}
      </div>
      {!isKeys && <State {...connection.value} />}
      <Links isKeys={isKeys} />
    </header>
  )
}

const states: Readonly<Record<Connection['state'], { words: string; tone?: Tone }>> = {
  idle: { words: 'not connected' },
  connecting: { words: 'connecting' },
  ready: { words: 'connected', tone: 'good' },
  refused: { words: 'refused', tone: 'bad' },
  failed: { words: 'no connection', tone: 'bad' },
}

function State({ state, revision, problem }: Connection): JSX.Element {
  const { words, tone } = states[state]
  return (
    <p class="row small" id="connection">
      <Badge tone={tone}>{words}</Badge>
      {revision !== undefined && <Badge>MCP {revision}</Badge>}
      {problem !== undefined && <span class="quiet">{shown(problem)}</span>}
    </p>
  )
}

/** `/docs` is there where the public catalogue is; the keys are shown to whom the server lets change them. */
function Links({ isKeys }: { readonly isKeys: boolean }): JSX.Element | null {
  const base = baseOf(document)
  const { kind, openMcp, keys } = config.value
  const links = [
    ...(isKeys && kind !== 'keys' ? [['Inspector', base.replace(/\/$/, '')] as const] : []),
    ...(kind === 'server' && openMcp !== undefined ? [['Documentation', `${base}../docs`] as const] : []),
    ...(!isKeys && keys !== undefined && identity.value?.scopes?.includes('keys:admin')
      ? [['API keys', `${base}keys`] as const]
      : []),
  ]
  if (links.length === 0) return null
  return (
    <nav aria-label="Other pages">
      <ul class="row">
        {links.map(([title, href]) => (
          <li key={title}>
            <a href={href}>{title}</a>
          </li>
        ))}
      </ul>
    </nav>
  )
}
