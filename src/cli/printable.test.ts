import { describe, expect, it } from 'vitest'
import { printable, printableJson, printableLine } from './printable.ts'
import { progressText } from './progress.ts'

describe('text of somebody else', () => {
  it.each([
    ['plain\ttext\nin lines', 'plain\ttext\nin lines'],
    ['one\r\ntwo', 'one\ntwo'],
    ['one\rtwo', 'one\\x0dtwo'],
    ['\u001b[31m', '\\x1b[31m'],
    ['\u009b31m', '\\x9b31m'],
    ['\u0000\u0007\u007f', '\\x00\\x07\\x7f'],
    ['\u202Eabc\u2066', '\\u{202e}abc\\u{2066}'],
    ['\u200B\uFEFF', '\\u{200b}\\u{feff}'],
    ['\u2028', '\\u{2028}'],
    ['\u{E0041}', '\\u{e0041}'],
    ['👩‍👩‍👧 क्‍ष äöü 日本', '👩‍👩‍👧 क्‍ष äöü 日本'],
  ])('%j is printed as %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('fits on a line', () => {
    expect(printableLine('  a\n\n b\t c ', 10)).toBe('a b c')
    expect(printableLine('abcdef', 6)).toBe('abcdef')
    expect(printableLine('abcdefg', 6)).toBe('abcde…')
    expect(printableLine('🔎🔎🔎', 2)).toBe('🔎…')
  })

  it('stays what it is in JSON', () => {
    const value = { text: 'a\u009b\u202E\u{E0041}\u007F\u001b\t\n' }
    const json = printableJson(value)
    expect(json.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(JSON.parse(json)).toEqual(value)
  })
})

describe('how far a tool is', () => {
  it.each([
    [{ progress: 0, total: 4 }, '[--------------------] 0%'],
    [{ progress: 1, total: 4, message: 'reading' }, '[#####---------------] 25% reading'],
    [{ progress: 5, total: 4 }, '[####################] 100%'],
    [{ progress: -1, total: 4 }, '[--------------------] 0%'],
    [{ progress: 3 }, '3'],
    [{ progress: 3, total: 0, message: 'rows\u001b[2K\n' }, '3 rows\\x1b[2K'],
  ])('%j is %s', (report, text) => {
    expect(progressText(report)).toBe(text)
  })
})
