import { describe, expect, it } from 'vitest'
import { type ListName, listNews } from './list-news.ts'
import { registry } from './registry.ts'

const tool = (name: string) =>
  ({ kind: 'tool', name, scopes: [], listed: { name }, rule: undefined, turns: undefined }) as never
const lists: ListName[] = ['tools', 'prompts', 'resources']

describe('listNews', () => {
  it('everybody hears of every change', () => {
    const news = listNews(registry(), undefined)
    expect(lists.map(news)).toEqual([true, true, true])
  })

  it('A-41 who is bound to tools hears when one of theirs comes, goes or becomes another, and of nothing else', () => {
    const all = registry()
    all.tools.add(tool('mine'))
    const news = listNews(all, ['mine', 'later'])
    expect(lists.map(news)).toEqual([false, false, false])
    all.tools.add(tool('theirs'))
    expect(lists.map(news)).toEqual([false, false, false])
    all.tools.add(tool('later'))
    expect([news('prompts'), news('tools'), news('tools')]).toEqual([false, true, false])
    all.tools.remove('mine')
    all.tools.add(tool('mine'))
    expect([news('tools'), news('tools')]).toEqual([true, false])
    all.tools.remove('mine')
    expect([news('tools'), news('tools')]).toEqual([true, false])
  })
})
