import { expect, it } from 'vitest'
import { below } from './config.ts'

it('paths are those on the origin of the page, below whatever the server does not know', () => {
  const told = {
    kind: 'server',
    name: 'x',
    endpoint: '/mcp',
    keys: '/admin',
    url: 'https://x.example/mcp',
  } as const
  expect(below('/team', told)).toEqual({ ...told, endpoint: '/team/mcp', keys: '/team/admin' })
  expect(below('', told)).toEqual(told)
})
