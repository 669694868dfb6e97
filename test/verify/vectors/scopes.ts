import { withClaims } from './tokens.ts'
import { refused, type Vector } from './vector.ts'
import type { VerifierName } from './verifiers.ts'

const bad = (name: string, members: object, verifier: VerifierName = 'rs256') =>
  refused('B-53 FL-40', name, () => withClaims(members), 'invalid_scope', verifier)

const wrongTypes: readonly (readonly [about: string, value: unknown])[] = [
  ['a number', 7],
  ['zero', 0],
  ['true', true],
  ['false', false],
  ['null', null],
  ['an object', {}],
  ['an object of scopes', { 'mcp:read': true }],
  ['a list that holds a number', ['mcp:read', 1]],
  ['a list that holds null', ['mcp:read', null]],
  ['a list within a list', [['mcp:read']]],
  ['a list that holds an object', [{ name: 'mcp:read' }]],
  ['a list that holds two scopes in one text', ['mcp:read mcp:write']],
  ['a list that holds the empty text', ['']],
  ['a list that holds a text with a quote', ['mcp"read']],
  ['a list that holds a text with a line break', ['mcp:read\n']],
]

export const scopes: readonly Vector[] = [
  ...wrongTypes.map(([about, scope]) => bad(`scope ${about}`, { scope })),
  ...wrongTypes
    .filter(([about]) =>
      ['a number', 'true', 'null', 'an object', 'a list that holds a number'].includes(about),
    )
    .map(([about, scp]) => bad(`scp ${about}, and no scope`, { scope: undefined, scp })),
  bad('scope null beside a good scp', { scope: null, scp: 'mcp:read' }),
  ...wrongTypes
    .filter(([about]) => ['a number', 'null', 'an object', 'a list within a list'].includes(about))
    .map(([about, permissions]) =>
      bad(`permissions ${about}, which scopesFrom gives`, { permissions }, 'scopes-from-permissions'),
    ),
]
