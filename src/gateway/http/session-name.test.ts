import { describe, expect, it } from 'vitest'
import { names } from './session-name.ts'

describe('the name of a session', () => {
  const { name, read } = names()

  it('is read by its owner, whatever the server calls the session', () => {
    for (const own of ['s', 'a.b.c', 'x'.repeat(500), '.', '...', 'ü'])
      expect(read('alice', name('alice', own))).toBe(own)
  })

  it('is none for anybody else, nor under another key', () => {
    expect(read('bob', name('alice', 's'))).toBeUndefined()
    expect(names().read('alice', name('alice', 's'))).toBeUndefined()
    // Whose it is and what it is called are told apart.
    expect(read('alices', name('alice', 'st').slice(1))).toBeUndefined()
  })

  it('is none for anybody else after its owner has used it, however often and with how many others', () => {
    const all = Array.from({ length: 5000 }, (_, at) => `s-${at}`)
    for (const own of [...all, ...all]) {
      const again = name('alice', own)
      expect([read('alice', again), read('alice', again)]).toEqual([own, own])
    }
    const known = name('alice', 's-4999')
    expect(read('bob', known)).toBeUndefined()
    // Where the owner ends and the name begins is not to be mistaken.
    expect(read('alic', `e${known}`)).toBeUndefined()
    expect(read('alices', known.slice(1))).toBeUndefined()
    expect(
      read(
        'alice',
        known.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      ),
    ).toBeUndefined()
  })

  it('cannot be changed, shortened or made up', () => {
    const good = name('alice', 's-1')
    const changed = Array.from(
      good,
      (char, at) => good.slice(0, at) + (char === 'A' ? 'B' : 'A') + good.slice(at + 1),
    )
    const cut = Array.from(good, (_, at) => good.slice(0, at))
    for (const bad of [
      ...changed,
      ...cut,
      `${good}A`,
      ` ${good}`,
      `.${good.split('.')[1]}`,
      'ü'.repeat(30),
      's-1',
    ])
      expect(read('alice', bad)).toBeUndefined()
  })

  it('is visible ASCII where that of the server is, and 23 characters longer', () => {
    expect(name('alice', 's-1')).toMatch(/^s-1\.[\w-]{22}$/)
  })
})
