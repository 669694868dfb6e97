import type { Locator, Page } from 'playwright-core'

/** What there is to see and to press in the inspector, by the words a person knows it by. */
export interface InspectorHand {
  /** The names in a tab, from top to bottom. */
  names(tab: TabName): Promise<string[]>
  /** Opens one of them. */
  open(tab: TabName, name: string): Promise<void>
  /** What is open. */
  readonly detail: Locator
  /** What came of it. */
  readonly answer: Locator
  /** A field of what is open, optional or not. */
  field(name: string): Locator
  /** Runs, reads or gets what is open, whatever that is called there. */
  go(): Promise<void>
  /** The word that says how the last run ended, once it has. */
  ended(): Promise<string>
  /** The texts of the answer. */
  texts(): Promise<string[]>
  /** A view of the answer. */
  view(name: 'Content' | 'Structured' | 'Raw'): Promise<void>
}

export type TabName = 'Tools' | 'Resources' | 'Prompts'

/** @param page the inspector, its lists loaded */
export function handOn(page: Page): InspectorHand {
  const list = page.locator('.panels .list .item')
  const detail = page.locator('article.detail')
  const answer = detail.getByRole('region', { name: 'Answer' })
  const show = (tab: TabName) => page.getByRole('tab', { name: tab }).click()
  const state = answer.locator('.badge').first()
  return {
    detail,
    answer,
    async names(tab) {
      await show(tab)
      return list.locator('.mono').allInnerTexts()
    },
    async open(tab, name) {
      await show(tab)
      await list.filter({ has: page.getByText(name, { exact: true }) }).click()
      await detail.and(page.getByRole('article', { name, exact: true })).waitFor()
    },
    field: (name) => detail.getByLabel(new RegExp(`^\\s*${name}\\s*(?:optional)?\\s*$`)),
    go: () =>
      detail
        .getByRole('button', { name: /^(?:Run|Read|Get the prompt)$/ })
        .first()
        .click(),
    async ended() {
      await state.and(page.locator(':not(:text-is("running"))')).waitFor()
      return state.innerText()
    },
    texts: () => answer.locator('pre').allInnerTexts(),
    view: (name) => answer.getByRole('tab', { name }).click(),
  }
}
