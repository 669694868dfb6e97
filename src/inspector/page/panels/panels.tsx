import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Tabs } from '../ui/tabs.tsx'
import { Detail } from './detail.tsx'
import { History } from './history.tsx'
import { type Item, isFound } from './item.ts'
import { ItemList } from './item-list.tsx'
import { lists, loadLists, startLists } from './lists.ts'
import { ProblemView } from './problem-view.tsx'
import { QuestionDialog } from './question-dialog.tsx'
import { opened, query, type TabId, tab, tabOf } from './view.ts'

/** Tools, resources and prompts of the server, and what came of using them. */
export function Panels(): JSX.Element {
  useEffect(startLists, [])
  const { items, notes, problem, state } = lists.value
  const found = query.value.trim() === '' ? items : items.filter((item) => isFound(item, query.value.trim()))
  const inTab = found.filter((item) => tabOf(item) === tab.value)
  const isLooking = state === 'loading'
  const isEmpty = isLooking && items.length === 0
  return (
    <section class="stack panels" aria-labelledby="panels-title" aria-busy={isLooking}>
      <h2 id="panels-title" class="hidden">
        Tools, resources and prompts
      </h2>
      <div class="row">
        <Search />
        <button
          type="button"
          class="button"
          aria-disabled={isLooking}
          onClick={() => void (isLooking || loadLists())}
        >
          Load again
        </button>
      </div>
      {problem && <ProblemView problem={problem} />}
      {notes.map((note) => (
        <p key={note} class="notice warn small">
          {note}
        </p>
      ))}
      <Tabs
        label="What the server has"
        tabs={tabs.map(({ id, title }) => ({ id, title, count: isEmpty ? undefined : countIn(id, found) }))}
        selected={tab.value}
        onSelect={(id) => {
          tab.value = id as TabId
        }}
      >
        {isEmpty ? (
          <p class="empty" role="status">
            Asking the server what it has
          </p>
        ) : (
          <Listed items={inTab} all={items} />
        )}
      </Tabs>
      <History />
      <QuestionDialog />
    </section>
  )
}

const tabs: readonly { readonly id: TabId; readonly title: string }[] = [
  { id: 'tools', title: 'Tools' },
  { id: 'resources', title: 'Resources' },
  { id: 'prompts', title: 'Prompts' },
]

function countIn(id: TabId, items: readonly Item[]): number {
  return items.filter((item) => tabOf(item) === id).length
}

function Listed({
  items,
  all,
}: {
  readonly items: readonly Item[]
  readonly all: readonly Item[]
}): JSX.Element {
  const open = all.find((item) => item.key === opened.value && tabOf(item) === tab.value)
  return (
    <div class="split">
      <ItemList items={items} isSearch={query.value.trim() !== ''} />
      {open ? (
        <Detail key={open.key} item={open} />
      ) : (
        items.length > 0 && <p class="empty">Choose one to see and use it.</p>
      )}
    </div>
  )
}

/** One field for all three tabs; `/` leads to it. */
function Search(): JSX.Element {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const isPlain = event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey
      if (!isPlain || isTyping(event.target) || document.querySelector('dialog[open]')) return
      event.preventDefault()
      field.current?.focus()
      field.current?.select()
    }
    document.addEventListener('keydown', focus)
    return () => document.removeEventListener('keydown', focus)
  }, [])
  return (
    <search class="grow">
      <input
        ref={field}
        type="search"
        class="input"
        aria-label="Search tools, resources and prompts"
        aria-keyshortcuts="/"
        placeholder="Search (press /)"
        value={query.value}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          query.value = event.currentTarget.value
        }}
      />
    </search>
  )
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]')
}
