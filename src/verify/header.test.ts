import { describe, expect, it, vi } from 'vitest'
import { defaultTypes, headerJudge } from './header.ts'

const encode = (header: object) => Buffer.from(JSON.stringify(header)).toString('base64url')
const rules = { algorithms: new Set(['RS256'] as const), types: defaultTypes }

describe('headerJudge', () => {
  it('reads a header that was remembered once only, however many others are invented', () => {
    const headers = headerJudge(rules)
    const good = encode({ alg: 'RS256', kid: 'k1' })
    const judged = headers.judge(good)
    expect(judged).toEqual({ algorithm: 'RS256', kid: 'k1' })
    if (typeof judged !== 'string') headers.remember(good, judged)
    for (let n = 0; n < 1000; n++) headers.judge(encode({ alg: 'RS256', kid: `invented-${n}` }))
    const parse = vi.spyOn(JSON, 'parse')
    expect(headers.judge(good)).toBe(judged)
    expect(parse).not.toHaveBeenCalled()
    parse.mockRestore()
  })

  it('remembers at most a hundred, the newest', () => {
    const headers = headerJudge(rules)
    const all = Array.from({ length: 101 }, (_, n) => encode({ alg: 'RS256', kid: `k${n}` }))
    for (const [n, header] of all.entries()) headers.remember(header, { algorithm: 'RS256', kid: `was ${n}` })
    expect(headers.judge(all[0] ?? '')).toEqual({ algorithm: 'RS256', kid: 'k0' })
    expect(headers.judge(all[100] ?? '')).toEqual({ algorithm: 'RS256', kid: 'was 100' })
  })
})
