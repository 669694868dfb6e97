import { describe, expect, it } from 'vitest'
import { remoteIntroduction, remoteRequest } from './remote-capabilities.ts'

describe('a process of this machine is not told of the roots of a remote client', () => {
  it('when it is initialized', () => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: { roots: { listChanged: true }, sampling: {} },
    }
    expect(remoteIntroduction(params)).toEqual({
      protocolVersion: '2025-11-25',
      capabilities: { sampling: {} },
    })
    expect(remoteIntroduction({ capabilities: 1 })).toEqual({ capabilities: 1 })
    expect(remoteIntroduction(undefined)).toBeUndefined()
  })

  it('nor by a request that says for itself what its client can', () => {
    const key = 'io.modelcontextprotocol/clientCapabilities'
    const request = (capabilities: object) => ({
      jsonrpc: '2.0' as const,
      id: 1,
      method: 'tools/list',
      params: { cursor: 'x', _meta: { progressToken: 2, [key]: capabilities } },
    })
    expect(remoteRequest(request({ roots: {}, sampling: {} }))).toEqual(request({ sampling: {} }))
    const plain = request({ sampling: {} })
    expect(remoteRequest(plain)).toBe(plain)
  })
})
