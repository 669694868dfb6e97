import { describe, expect, it } from 'vitest'
import { AccessToken } from '../core/index.ts'
import { admit, type Caller, type Component, principalKey } from './component.ts'
import { type ComponentList, componentList } from './component-list.ts'

const component = (name: string, ...scopes: string[]): Component => ({
  kind: 'tool',
  name,
  scopes,
  listed: { name },
  rule: undefined,
  turns: undefined,
})
const caller = (...granted: string[]): Caller => ({
  auth: new AccessToken({ token: 'secret', scopes: granted }),
  incoming: undefined,
  covers: (needed) => needed.every((scope) => granted.includes(scope)),
})
const nobody: Caller = { auth: undefined, incoming: undefined, covers: () => false }

/** The names in a list that no rule has to be asked about. */
function names(list: ReturnType<ComponentList<Component>['visible']>): unknown[] {
  return Array.isArray(list) ? list.map(({ name }) => name) : []
}

describe('componentList', () => {
  it('D-28 shows only what the caller may use, in the order of registration', () => {
    const list = componentList('tool')
    for (const one of [component('b'), component('a', 'x'), component('c', 'x', 'y')]) list.add(one)
    expect(names(list.visible(caller()))).toEqual(['b'])
    expect(names(list.visible(caller('x')))).toEqual(['b', 'a'])
    expect(names(list.visible(caller('y', 'x')))).toEqual(['b', 'a', 'c'])
    expect(names(list.visible(nobody))).toEqual(['b'])
  })

  it('keeps one list for callers who see the same, and drops it when something is added', () => {
    const list = componentList('tool')
    list.add(component('a', 'x'))
    const first = list.visible(caller('x'))
    expect(list.visible(caller('x', 'unrelated'))).toBe(first)
    list.add(component('b'))
    expect(list.visible(caller('x'))).toHaveLength(2)
  })

  it('shows the right list to each of a thousand kinds of callers', () => {
    const list = componentList('tool')
    for (let n = 0; n < 10; n++) list.add(component(`t${n}`, `s${n}`))
    for (let kind = 0; kind < 1000; kind++) {
      const granted = Array.from({ length: 10 }, (_, n) => n).filter((n) => (kind >> n) & 1)
      const seen = names(list.visible(caller(...granted.map((n) => `s${n}`))))
      expect(seen).toEqual(granted.map((n) => `t${n}`))
    }
  })

  it('refuses a second component of the same name', () => {
    const list = componentList('tool')
    list.add(component('a'))
    expect(() => list.add(component('a'))).toThrow(/"a" exists already/)
  })

  it('FL-33 does not find what nobody registered', () => {
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(componentList('tool').get(name)).toBeUndefined()
  })
})

describe('admit', () => {
  it('D-30 refuses a hidden component by name, with all the scopes it needs', () => {
    expect(() => admit(component('a', 'x', 'y'), caller('x'), {})).toThrow(
      expect.objectContaining({ code: 'insufficient_scope', scopes: ['x', 'y'] }),
    )
  })

  it('FL-20 refuses a component with scopes to a caller without identity', () => {
    expect(() => admit(component('a', 'x'), nobody, {})).toThrow(
      expect.objectContaining({ code: 'unauthorized' }),
    )
    expect(admit(component('a'), nobody, {})).toBeUndefined()
  })
})

describe('callers who are bound to tools', () => {
  const bound = (tools: readonly string[], ...granted: string[]): Caller => ({
    ...caller(...granted),
    auth: new AccessToken({ token: 'secret', scopes: granted, tools }),
  })
  const other = (kind: Component['kind'], name: string): Component => ({ ...component(name), kind })

  it('A-41 may use the tools that are named, and nothing else, whatever its name', () => {
    expect(admit(component('search'), bound(['search']), {})).toBeUndefined()
    for (const entry of [
      component('searches'),
      component('Search'),
      component('x'),
      other('resource', 'search'),
      other('resource template', 'search'),
      other('prompt', 'search'),
    ])
      expect(() => admit(entry, bound(['search']), {})).toThrow(
        expect.objectContaining({ code: 'access_denied' }),
      )
  })

  it('A-41 no pattern stands in the list, and an empty list is nothing', () => {
    for (const tools of [['*'], ['.*'], ['sear*'], ['__proto__'], []])
      expect(() => admit(component('search'), bound(tools), {})).toThrow(
        expect.objectContaining({ code: 'access_denied' }),
      )
  })

  it('A-41 need the scopes as well, and are not told of them for anything else', () => {
    expect(() => admit(component('search', 'read'), bound(['search']), {})).toThrow(
      expect.objectContaining({ code: 'insufficient_scope' }),
    )
    expect(() => admit(component('purge', 'read'), bound(['search']), {})).toThrow(
      expect.not.objectContaining({ scopes: expect.anything() }),
    )
  })

  it('D-28 see these tools alone, and no list is shared between those who are bound differently', () => {
    const list = componentList('tool')
    for (const one of [component('a'), component('b'), component('c', 'x')]) list.add(one)
    // Kept for everybody with these scopes.
    expect(names(list.visible(caller('x')))).toEqual(['a', 'b', 'c'])
    expect(names(list.visible(bound(['b', 'c'])))).toEqual(['b'])
    expect(names(list.visible(bound(['c', 'b'], 'x')))).toEqual(['b', 'c'])
    expect(names(list.visible(bound(['a'], 'x')))).toEqual(['a'])
    expect(names(list.visible(bound([], 'x')))).toEqual([])
    expect(names(list.visible(caller('x')))).toEqual(['a', 'b', 'c'])
  })

  it('D-28 see no resources and no prompts, of the same names either', () => {
    for (const kind of ['resource', 'resource template', 'prompt'] as const) {
      const list = componentList(kind)
      list.add(other(kind, 'a'))
      expect(names(list.visible(bound(['a'])))).toEqual([])
      expect(names(list.visible(caller()))).toEqual(['a'])
    }
  })

  it('D-28 are looked at the same where a rule is asked', async () => {
    const list = componentList('tool')
    const asked: string[] = []
    for (const name of ['a', 'b'])
      list.add({ ...component(name), rule: async (_caller, _asked, shownAs) => void asked.push(shownAs) })
    expect(await list.visible(bound(['b']))).toEqual([{ name: 'b' }])
    expect(asked).toEqual(['b'])
  })

  it('D-02 are somebody else than the same principal with other tools', () => {
    const keys = [caller(), bound([]), bound(['a']), bound(['b']), bound(['a', 'b'])].map(principalKey)
    expect(new Set(keys).size).toBe(keys.length)
    expect(principalKey(bound(['a'], 'x'))).toBe(principalKey(bound(['a'])))
  })
})
