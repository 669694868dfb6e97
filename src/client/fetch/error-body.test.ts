import { describe, expect, it } from 'vitest'
import { readErrorBody } from './error-body.ts'

describe('the body of an error', () => {
  it('is read as text', async () => {
    expect(await readErrorBody(new Response('caf\u00E9'))).toBe('caf\u00E9')
    expect(await readErrorBody(new Response(null))).toBe('')
  })

  it('is read up to a limit, and the rest is given up', async () => {
    let isCancelled = false
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('0123456789')),
      cancel: () => {
        isCancelled = true
      },
    })
    expect(await readErrorBody(new Response(endless), { bytes: 25 })).toBe(
      '0123456789012345678901234'.slice(0, 25),
    )
    expect(isCancelled).toBe(true)
  })

  it('is not waited for longer than a while', async () => {
    const stuck = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('beginning')),
    })
    expect(await readErrorBody(new Response(stuck), { milliseconds: 5 })).toBe('beginning')
  })

  it('is what arrived when the connection breaks', async () => {
    let step = 0
    const broken = new ReadableStream({
      pull(controller) {
        if (step++ === 0) controller.enqueue(new TextEncoder().encode('beginning'))
        else controller.error(new Error('reset'))
      },
    })
    expect(await readErrorBody(new Response(broken))).toBe('beginning')
  })
})
