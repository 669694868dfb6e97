import { describe, expect, it } from 'vitest'
import type { ProbeResponse } from './exchange.ts'
import { veil } from './veil.ts'

const token = 'quiet-harbour-7f3a9c51d2e8-lantern'
const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLW5vYm9keQ'

function response(more: Partial<ProbeResponse>): ProbeResponse {
  return { status: 401, headers: [], body: '', isCut: false, ms: 1, ...more }
}

const request = { method: 'POST', target: '/mcp', headers: [] }

describe('what a probe shows', () => {
  it('A-18 has the token nowhere, in whatever form a server repeats it', () => {
    const hidden = veil([token])
    const forms = [
      token,
      encodeURIComponent(token),
      btoa(token),
      Buffer.from(token).toString('hex'),
      JSON.stringify({ said: token }),
      token.slice(0, 20),
      `${token}${token}`,
    ]
    for (const form of forms) {
      const seen = hidden.exchange({
        request: { ...request, target: `/mcp?x=${form}`, headers: [['X-Odd', form]], body: form },
        response: response({ body: form, headers: [['x-echo', form]] }),
        problem: form,
      })
      expect(JSON.stringify(seen)).not.toContain(form.slice(0, 16))
    }
  })

  it('has no part of a JWT, nor of a copy that was altered', () => {
    const hidden = veil([jwt])
    const copy = `${jwt.slice(0, -4)}xxxx`
    hidden.hide(copy)
    const text = hidden.text(
      `you sent ${jwt} and ${copy}; payload ${jwt.split('.')[1]}, ${copy.split('.')[2]}`,
    )
    for (const part of [...jwt.split('.'), ...copy.split('.')]) expect(text).not.toContain(part)
  })

  it('shows the scheme of a credential and how many there are, and none of them', () => {
    const { request: shown } = veil([]).exchange({
      request: {
        ...request,
        headers: [
          ['Authorization', 'Bearer a-b-c, Basic dXNlcg=='],
          ['Authorization', 'Bearer'],
          ['Cookie', 'session=abcdef'],
          ['Mcp-Session-Id', 'abcdef'],
        ],
      },
      response: undefined,
    })
    expect(shown.headers).toEqual([
      ['Authorization', 'Bearer [redacted], Basic [redacted]'],
      ['Authorization', 'Bearer'],
      ['Cookie', 'session=[redacted]'],
      ['Mcp-Session-Id', '[redacted]'],
    ])
  })

  it('is bounded', () => {
    const { response: shown } = veil([]).exchange({
      request,
      response: response({
        body: 'x'.repeat(300_000),
        headers: Array.from({ length: 500 }, () => ['x-y', 'z'.repeat(5000)] as const),
      }),
    })
    expect(shown?.body.length).toBeLessThan(2100)
    expect(shown?.isCut).toBe(true)
    expect(JSON.stringify(shown).length).toBeLessThan(30_000)
  })
})
