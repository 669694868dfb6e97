import { describe, expect, it } from 'vitest'
import { type CommandUpstreamOptions, commandUpstream } from './command-upstream.ts'

const good: CommandUpstreamOptions = { command: 'true', env: {} }

describe('commandUpstream', () => {
  it.each<[string, object]>([
    ['comand', { comand: 'true' }],
    ['command', { command: '' }],
    ['per', { per: 'everybody' }],
    ['clock', { clock: 1 }],
    ['requestTimeoutMs', { requestTimeoutMs: -1 }],
    ['requestTimeoutMs', { requestTimeoutMs: Number.NaN }],
    ['processes', { processes: { maximum: 1 } }],
    ['processes.max', { processes: { max: 0 } }],
    ['processes.maxPerPrincipal', { processes: { maxPerPrincipal: 1e9 } }],
    ['processes.idleMs', { processes: { idleMs: 0 } }],
    ['processes.startTimeoutMs', { processes: { startTimeoutMs: '60' } }],
  ])('names %s when it is wrong', (name, wrong) => {
    const make = () => commandUpstream({ ...good, ...wrong } as CommandUpstreamOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(new RegExp(name.replace('.', '\\.')))
  })

  it('starts nothing by itself, and has the name of its program', async () => {
    let stopped = 0
    const upstream = commandUpstream(good, () => () => void stopped++)
    expect([upstream.name, upstream.processes, upstream.sessions]).toEqual(['true', 0, 0])
    await upstream.close()
    expect(stopped).toBe(1)
  })
})
