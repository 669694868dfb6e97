import { describe, expect, it } from 'vitest'
import { challengeFlaws } from './challenge-grammar.ts'

const sound = [
  'Bearer',
  'Bearer realm="mcp"',
  'Bearer realm="a, b", scope="x y"',
  'Bearer realm="say \\"hi\\", twice", error="invalid_token"',
  'Bearer realm=mcp',
  'Bearer realm = "mcp" ,scope="x"',
  'Basic realm="x", Bearer realm="y"',
  'Negotiate YWJj==',
  'Negotiate YWJj==, Bearer realm="y"',
  ', Bearer realm="x",,',
  'DPoP algs="ES256", Bearer realm="mcp"',
]

const malformed = [
  'Bearer realm="mcp',
  'Bearer resource_metadata=https://mcp.example/x',
  'Bearer realm="a" scope="b"',
  'realm="a"',
  'Bearer realm="a", two words here',
  'Bearer: realm="a"',
  'Bearer realm="a", error=',
]

describe('challenges (RFC 9110 section 11.6.1)', () => {
  it.each(sound)('%s is sound', (line) => {
    expect(challengeFlaws([line])).toEqual({ isMalformed: false, repeated: [] })
  })

  it.each(malformed)('%s is malformed', (line) => {
    expect(challengeFlaws([line]).isMalformed).toBe(true)
  })

  it('A-68 a parameter that is repeated in one challenge is told, whatever its case', () => {
    expect(challengeFlaws(['Bearer realm="a", Realm="b", scope="x", scope="y"']).repeated).toEqual([
      'realm',
      'scope',
    ])
    expect(challengeFlaws(['Basic realm="a", Bearer realm="b"', 'DPoP realm="c"']).repeated).toEqual([])
  })

  it('takes linear time', () => {
    for (const piece of ['"\\', '="', ', a', 'a=', 'a ', ' \t', 'a="b", ']) {
      const flaws = challengeFlaws([`Bearer ${piece.repeat(200_000)}`])
      expect(typeof flaws.isMalformed).toBe('boolean')
    }
  }, 5000)
})
