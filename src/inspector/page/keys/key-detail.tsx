import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { systemClock } from '../../../core/clock.ts'
import { JsonView } from '../ui/json-view.tsx'
import { AuditLog } from './audit-log.tsx'
import { EditDialog } from './edit-dialogs.tsx'
import { RevokeDialog, RotateDialog, SwitchDialog } from './end-dialogs.tsx'
import { KeySparkline, StatusBadge, Words } from './key-row.tsx'
import type { KeyFacts } from './keys-api.ts'
import { open } from './keys-state.ts'
import { expiryWords, numberWords, timeWords } from './words.ts'

/** All that is known of a key, and what can be done with it. */
export function KeyDetail({
  apiKey,
  onBack,
}: {
  readonly apiKey: KeyFacts
  readonly onBack: () => void
}): JSX.Element {
  const head = useRef<HTMLHeadingElement>(null)
  const { id } = apiKey
  useEffect(() => head.current?.focus(), [id])
  return (
    <article class="stack" aria-labelledby="key-name">
      <p>
        <button type="button" class="button" onClick={onBack}>
          All keys
        </button>
      </p>
      <div class="row">
        <h2 id="key-name" ref={head} tabIndex={-1}>
          <bdi>{apiKey.name}</bdi>
        </h2>
        <StatusBadge apiKey={apiKey} />
      </div>
      <Actions apiKey={apiKey} focusHead={() => head.current?.focus()} />
      <Facts apiKey={apiKey} />
      <h3>What was done with it</h3>
      <AuditLog query={`keyId=${encodeURIComponent(id)}`} version={apiKey.updatedAt} showKey={false} />
    </article>
  )
}

type Action = 'edit' | 'rotate' | 'disable' | 'enable' | 'revoke'

const actionWords: Readonly<Record<Action, string>> = {
  edit: 'Change',
  rotate: 'Rotate',
  disable: 'Disable',
  enable: 'Enable',
  revoke: 'Revoke',
}

function Actions({
  apiKey,
  focusHead,
}: {
  readonly apiKey: KeyFacts
  readonly focusHead: () => void
}): JSX.Element {
  const action = useSignal<Action | undefined>(undefined)
  const onClosed = () => {
    action.value = undefined
    // The button that opened the dialog may be gone with what was done.
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) focusHead()
    })
  }
  const props = { apiKey, onClosed }
  return (
    <div class="row">
      {actionsOf(apiKey).map((one) => (
        <button
          key={one}
          type="button"
          class={one === 'revoke' ? 'button danger' : 'button'}
          onClick={() => {
            action.value = one
          }}
        >
          {actionWords[one]}
        </button>
      ))}
      {action.value === 'edit' && <EditDialog {...props} />}
      {action.value === 'rotate' && <RotateDialog {...props} />}
      {action.value === 'disable' && <SwitchDialog {...props} to="disable" />}
      {action.value === 'enable' && <SwitchDialog {...props} to="enable" />}
      {action.value === 'revoke' && <RevokeDialog {...props} />}
    </div>
  )
}

/** What is worth a try. The server decides; of what it does not do, it says why. */
function actionsOf({ status, replacedBy }: KeyFacts): readonly Action[] {
  if (status === 'revoked') return []
  return [
    'edit',
    ...(status === 'expired' || status === 'grace' || replacedBy !== undefined ? [] : (['rotate'] as const)),
    status === 'disabled' ? 'enable' : 'disable',
    'revoke',
  ]
}

function Facts({ apiKey }: { readonly apiKey: KeyFacts }): JSX.Element {
  const { id, owner, scopes, tools, audiences, addresses, metadata = {} } = apiKey
  return (
    <dl class="facts card">
      <Fact name="Id">
        <code>{id}</code>
      </Fact>
      <Fact name="Owner">
        <bdi>{owner.type === undefined ? owner.id : `${owner.type} ${owner.id}`}</bdi>
      </Fact>
      <Fact name="Scopes">
        <Words texts={scopes} none="None" />
      </Fact>
      <TimeFacts apiKey={apiKey} />
      <Fact name="Uses">{usesText(apiKey)}</Fact>
      <Fact name="The last 30 days">
        <KeySparkline id={id} />
      </Fact>
      {tools && (
        <Fact name="Only these tools">
          <Words texts={tools} none="None" />
        </Fact>
      )}
      {audiences && (
        <Fact name="For the servers">
          <Words texts={audiences} none="None" />
        </Fact>
      )}
      {addresses && (
        <Fact name="Only from">
          <Words texts={addresses} none="Nowhere" />
        </Fact>
      )}
      <TextFacts apiKey={apiKey} />
      <LineageFacts apiKey={apiKey} />
      {Object.keys(metadata).length > 0 && (
        <Fact name="Metadata">
          <JsonView value={metadata} />
        </Fact>
      )}
    </dl>
  )
}

function Fact({
  name,
  children,
}: {
  readonly name: string
  readonly children: ComponentChildren
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function usesText({ useCount = 0, usageLimit, usageLeft }: KeyFacts): string {
  const used = numberWords(useCount)
  if (usageLimit === undefined) return used
  return `${used}; ${numberWords(usageLeft ?? 0)} of ${numberWords(usageLimit)} are left`
}

function TimeFacts({ apiKey }: { readonly apiKey: KeyFacts }): JSX.Element {
  const times: readonly (readonly [string, string | undefined])[] = [
    ['Not valid before', apiKey.notBefore],
    ['Made', apiKey.createdAt],
    ['Changed', apiKey.updatedAt],
    ['First used', apiKey.firstUsedAt],
    ['Last used', apiKey.lastUsedAt],
    ['Revoked', apiKey.revokedAt],
  ]
  const expiry = expiryWords(apiKey.expiresAt, systemClock())
  return (
    <>
      <Fact name="Expiry">
        {apiKey.expiresAt === undefined ? expiry : `${expiry}: ${timeWords(apiKey.expiresAt)}`}
      </Fact>
      {times.map(
        ([name, time]) =>
          time !== undefined && (
            <Fact key={name} name={name}>
              {timeWords(time)}
            </Fact>
          ),
      )}
    </>
  )
}

function TextFacts({ apiKey }: { readonly apiKey: KeyFacts }): JSX.Element {
  const texts: readonly (readonly [string, string | number | undefined])[] = [
    ['Made by', apiKey.createdBy],
    ['Last used from', apiKey.lastUsedAddress],
    ['Requests a minute', apiKey.rateLimit],
    ['Tenant', apiKey.tenant],
    ['Client', apiKey.clientId],
    ['Environment', apiKey.environment],
    ['Imported', apiKey.isImported ? 'Yes' : undefined],
    ['Revoked by', apiKey.revokedBy],
    ['Reason', apiKey.revokeReason],
  ]
  return (
    <>
      {texts.map(
        ([name, text]) =>
          text !== undefined && (
            <Fact key={name} name={name}>
              <bdi>{String(text)}</bdi>
            </Fact>
          ),
      )}
    </>
  )
}

/** The keys of one row of rotations. */
function LineageFacts({ apiKey }: { readonly apiKey: KeyFacts }): JSX.Element {
  const { id, lineageId, replacedBy } = apiKey
  return (
    <>
      {lineageId !== id && (
        <Fact name="First of its row">
          <KeyLink id={lineageId} />
        </Fact>
      )}
      {replacedBy !== undefined && (
        <Fact name="Replaced by">
          <KeyLink id={replacedBy} />
        </Fact>
      )}
    </>
  )
}

function KeyLink({ id }: { readonly id: string }): JSX.Element {
  return (
    <button type="button" class="button plain" onClick={() => void open(id)}>
      <code>{id}</code>
    </button>
  )
}
