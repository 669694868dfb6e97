import { describe, expect, test } from 'vitest'
import { makeKey, parseKey } from './format.ts'
import { scanRules } from './scan-rules.ts'

const rules = scanRules('mcpk')
const found = (text: string, expression: string) =>
  [...text.matchAll(new RegExp(expression, 'g'))].map(([match]) => match)

describe('the rules for secret scanners', () => {
  test('find every key of the project wherever it stands, and nothing else', () => {
    for (let round = 0; round < 1000; round++) {
      const { key } = makeKey('mcpk', round % 2 === 0 ? 'live' : 'test')
      const texts = [key, `key="${key}"`, `{"auth":"Bearer ${key}"}`, `K=${key}\n`, `https://u:${key}@host/`]
      for (const text of texts) expect(found(text, rules.expression)).toEqual([key])
    }
    const { key } = makeKey('other', 'live')
    for (const text of [
      key,
      key.slice(0, -1),
      `x${makeKey('mcpk', 'live').key}`,
      `${makeKey('mcpk', 'live').key}x`,
    ])
      expect(found(text, rules.expression)).toEqual([])
  })

  test('have no look-around, no back reference and no lazy quantifier, which RE2 and Hyperscan do not take', () => {
    expect(rules.expression).not.toMatch(/\(\?[=!<]|\\\d|[*+?}]\?/)
    expect(rules.expression).toBe(String.raw`\bmcpk_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}\b`)
  })

  test('are what gitleaks reads', () => {
    expect(rules.gitleaks).toBe(`[[rules]]
id = "mcpk-api-key"
description = "API key that begins with mcpk_live_ or mcpk_test_"
regex = '''${rules.expression}'''
keywords = ["mcpk_live_", "mcpk_test_"]
`)
  })

  test('are what TruffleHog reads', () => {
    expect(rules.trufflehog).toBe(`detectors:
  - name: mcpk-api-key
    keywords:
      - mcpk_live_
      - mcpk_test_
    regex:
      key: '${rules.expression}'
`)
  })

  test('are what the form of GitHub asks for, with a test string no scanner takes for real', () => {
    const fields = new Map(
      rules.github
        .trimEnd()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
    )
    expect([...fields.keys()]).toEqual([
      'Pattern name',
      'Secret format',
      'Before secret',
      'After secret',
      'Test string',
    ])
    expect(found(fields.get('Test string')!, fields.get('Secret format')!)).toEqual([
      fields.get('Test string'),
    ])
    expect(parseKey(fields.get('Test string')!)).toBe('bad_checksum')
  })

  test('are for a prefix, and no expression gets in by it', () => {
    for (const prefix of ['', '.*', "a'''b", 'A', 'a\nb']) expect(() => scanRules(prefix)).toThrow(TypeError)
  })
})
