import { expect, it } from 'vitest'
import { program, wire, world } from './command-support.ts'

const complete = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}
const { 'io.modelcontextprotocol/protocolVersion': _, ...unversioned } = complete
const { 'io.modelcontextprotocol/clientCapabilities': __, ...incapable } = complete

it.each([
  ['no _meta', {}],
  ['no revision', { _meta: unversioned }],
  ['no capabilities of the client', { _meta: incapable }],
])('a request of 2026-07-28 with %s is a 400, and no process is started for it', async (_what, params) => {
  const gate = await world(program('server-sdk'))
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
  const answer = await wire(gate).send({ jsonrpc: '2.0', id: 7, method: 'tools/list', params }, { headers })
  expect(answer.status).toBe(400)
  expect(await answer.next()).toMatchObject({ id: 7, error: { code: -32602 } })
  expect(gate.commands.processes).toBe(0)
})

it('one of an older revision without a session is told that it needs one', async () => {
  const gate = await world(program('server-sdk'))
  const headers = { 'mcp-protocol-version': '2025-11-25' }
  const answer = await wire(gate).send({ jsonrpc: '2.0', id: 7, method: 'tools/list' }, { headers })
  expect(answer.status).toBe(400)
  expect(await answer.next()).toMatchObject({ id: 7, error: { code: -32600 } })
})
