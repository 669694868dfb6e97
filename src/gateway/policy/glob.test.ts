import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stopwatch } from '../../core/clock.ts'
import { globsMeet, nameGlob, uriGlob } from './glob.ts'

/** Few letters, so that random texts fit random patterns now and then. */
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '**', '.'), maxLength: 10 })
const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '*', '\n'), maxLength: 12 })

function escaped(literal: string): string {
  return literal.replace(/[.\\/]/g, '\\$&')
}

describe('nameGlob', () => {
  it('is what a regular expression with .* for each star is', () => {
    fc.assert(
      fc.property(pattern, text, (glob, name) => {
        const expected = new RegExp(`^${glob.split('*').map(escaped).join('.*')}$`, 's')
        expect(nameGlob(glob)(name)).toBe(expected.test(name))
      }),
      { numRuns: 5000 },
    )
  })

  it.each([
    ['read_file', 'read_file', true],
    ['read_file', 'read_file2', false],
    ['read_file', 'Read_file', false],
    ['read_*', 'read_', true],
    ['*', '', true],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*a', 'a', false],
    ['__proto__', '__proto__', true],
    ['constructor', 'toString', false],
  ])('%j and %j: %j', (glob, name, expected) => {
    expect(nameGlob(glob)(name)).toBe(expected)
  })

  it('takes no time that grows with the square of the text, or a power of the stars', () => {
    const fits = nameGlob(`${'*a'.repeat(30)}b`)
    const start = stopwatch()
    expect(fits('a'.repeat(200_000))).toBe(false)
    // Trying one place after the other would take hours.
    expect(stopwatch() - start).toBeLessThan(5000)
  })
})

describe('uriGlob', () => {
  it('is what a regular expression with [^/]* for one star and .* for several is', () => {
    fc.assert(
      fc.property(pattern, text, (glob, uri) => {
        const parts = glob.split(/(\*+)/).map((part) => {
          if (!part.startsWith('*')) return escaped(part)
          return part.length === 1 ? '[^/]*' : '.*'
        })
        expect(uriGlob(glob)(uri)).toBe(new RegExp(`^${parts.join('')}$`, 's').test(uri))
      }),
      { numRuns: 5000 },
    )
  })

  it.each([
    ['docs://*', 'docs://a', true],
    ['docs://*', 'docs://a/b', false],
    ['docs://**', 'docs://a/b', true],
    ['docs://*/x', 'docs://a/x', true],
    ['docs://*/x', 'docs://a/b/x', false],
    ['docs://**/x', 'docs://a/b/x', true],
    ['**', '', true],
  ])('%j and %j: %j', (glob, uri, expected) => {
    expect(uriGlob(glob)(uri)).toBe(expected)
  })
})

describe('globsMeet', () => {
  it('finds out whether some name fits both', () => {
    const short = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 4 })
    // The shortest name that fits both is no longer than both together.
    const names = Array.from({ length: 9 }, (_, length) => words(length)).flat()
    fc.assert(
      fc.property(short, short, (one, other) => {
        const [fitsOne, fitsOther] = [nameGlob(one), nameGlob(other)]
        const isMet = names.some((name) => fitsOne(name) && fitsOther(name))
        expect(globsMeet(one, other)).toBe(isMet)
      }),
      { numRuns: 2000 },
    )
  })

  function words(length: number): readonly string[] {
    return length === 0 ? [''] : words(length - 1).flatMap((word) => [`${word}a`, `${word}b`])
  }
})
