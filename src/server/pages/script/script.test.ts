import { runInNewContext } from 'node:vm'
import { parseSync, Visitor } from 'oxc-parser'
import { describe, expect, it } from 'vitest'
import { domScript } from './dom.ts'
import { hostsScript } from './hosts.ts'
import { docsScript } from './index.ts'
import { schemaReaderScript } from './schema-reader.ts'

/** Calls a function of the script, of those parts that know nothing of a page. */
function call(expression: string, values: Record<string, unknown>): unknown {
  const parts = [domScript, schemaReaderScript, hostsScript, `;JSON.stringify(${expression})`]
  return JSON.parse(runInNewContext(parts.join('\n'), values) as string)
}

interface Node {
  type: string
  facts: { label: string; values: string[] }[]
  description: string
  rows: { label: string; required?: boolean; node: Node }[]
}

/** A schema as lines: what it says, at the depth it says it. */
function lines(schema: unknown): string[] {
  return below(call('readSchema(schema)', { schema }) as Node, '')
}

function below(node: Node, indent: string): string[] {
  return node.rows.flatMap(({ label, required, node: inner }) => {
    const facts = inner.facts.map((fact) => `${fact.label} ${fact.values.join(',')}`.trim())
    const more = [required ? 'required' : '', ...facts, inner.description].filter((part) => part !== '')
    return [[`${indent}${label}: ${inner.type}`, ...more].join('; '), ...below(inner, `${indent}  `)]
  })
}

const field = (property: unknown, root: object = {}) =>
  lines({ type: 'object', properties: { f: property }, ...root })

describe('the script', () => {
  const { program, errors } = parseSync('app.js', docsScript, { sourceType: 'script' })

  it('is a program', () => {
    expect(errors).toEqual([])
  })

  it('makes elements and text, and never reads text as markup or as code (FL-104)', () => {
    const names = new Set<string>()
    const tags: unknown[] = []
    new Visitor({
      Identifier: ({ name }) => names.add(name),
      CallExpression: ({ callee, arguments: [tag] }) => {
        const isMake = callee.type === 'Identifier' && callee.name === 'make'
        if (isMake) tags.push(tag?.type === 'Literal' ? tag.value : 'not written down')
      },
    }).visit(program)
    expect(names).toContain('createTextNode')
    const sinks = [
      'innerHTML',
      'outerHTML',
      'insertAdjacentHTML',
      'setHTMLUnsafe',
      'write',
      'writeln',
      'srcdoc',
    ]
    const code = ['eval', 'Function', 'setTimeout', 'setInterval', 'import', 'DOMParser', 'Range', 'cookie']
    const stores = ['localStorage', 'sessionStorage', 'indexedDB']
    for (const name of [...sinks, ...code, ...stores]) expect(names, name).not.toContain(name)
    expect(tags).toContain('article')
    for (const tag of ['not written down', 'script', 'iframe', 'style', 'form', 'input']) {
      expect(tags, tag).not.toContain(tag)
    }
  })
})

describe('a schema is read', () => {
  it('with types, what is required, defaults, values, bounds and descriptions', () => {
    const schema = {
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 8, pattern: '^a', description: 'Its name.' },
        count: { type: 'integer', minimum: 1, exclusiveMaximum: 9, default: 0 },
        any: {},
        kind: { enum: ['a', 1, null] },
        fixed: { const: true },
        when: { type: ['string', 'null'], format: 'date-time', deprecated: true },
        huge: { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
      },
      required: ['name', 'fixed'],
    }
    expect(lines(schema)).toEqual([
      'name: string; required; pattern ^a; length 1 to 8; Its name.',
      'count: integer; default 0; less than 9; value at least 1',
      'any: any',
      'kind: string or number or null; one of "a",1,null',
      'fixed: boolean; required; always true',
      'when: string or null; format date-time; deprecated',
      'huge: integer',
    ])
  })

  it('through arrays and objects within objects', () => {
    const inner = { type: 'object', properties: { x: { type: 'number' } }, required: ['x'] }
    expect(field({ type: 'array', minItems: 2, items: { type: 'array', items: inner } })).toEqual([
      'f: array of array of object; items at least 2',
      '  x: number; required',
    ])
    expect(
      field({ type: 'object', additionalProperties: inner, patternProperties: { '^x': false } }),
    ).toEqual(['f: object', '  /^x/: nothing', '  any other name: object', '    x: number; required'])
    expect(field({ prefixItems: [{ type: 'string' }, inner] })).toEqual([
      'f: array',
      '  [0]: string',
      '  [1]: object',
      '    x: number; required',
    ])
    expect(field({ type: 'array', items: { type: 'string', enum: ['a'] } })).toEqual([
      'f: array of string; each: one of "a"',
    ])
  })

  it('through choices: simple ones in a line, others one below the other', () => {
    const card = { type: 'object', properties: { number: { type: 'string' } } }
    expect(field({ anyOf: [{ type: 'string' }, { type: 'number' }] })).toEqual(['f: string or number'])
    expect(field({ anyOf: [card, { type: 'null' }] })).toEqual(['f: object or null', '  number: string'])
    expect(field({ oneOf: [card, { type: 'string', format: 'iban' }], description: 'Pays.' })).toEqual([
      'f: one of these; Pays.',
      '  variant 1: object',
      '    number: string',
      '  variant 2: string; format iban',
    ])
    expect(field({ allOf: [card] })).toEqual(['f: object', '  number: string'])
  })

  it('through references within it, escaped ones too, with what stands beside them', () => {
    const $defs = {
      'a/b ~': { type: 'string', description: 'Old.' },
      list: { items: { $ref: '#/$defs/a~1b%20~0' } },
    }
    expect(field({ $ref: '#/$defs/a~1b%20~0', description: 'New.' }, { $defs })).toEqual(['f: string; New.'])
    expect(field({ $ref: '#/$defs/list' }, { $defs })).toEqual(['f: array of string'])
    expect(field({ $ref: '#/definitions/old' }, { definitions: { old: { type: 'null' } } })).toEqual([
      'f: null',
    ])
  })

  it('and not through references to elsewhere, to nothing, or to what every object inherits', () => {
    expect(field({ $ref: 'https://example.com/s.json' })).toEqual(['f: see https://example.com/s.json'])
    expect(field({ $ref: '#/$defs/none' })).toEqual(['f: see #/$defs/none'])
    expect(field({ $ref: '#/constructor' })).toEqual(['f: see #/constructor'])
    expect(field({ $ref: '#/%zz' })).toEqual(['f: see #/%zz'])
  })

  it('once round a circle', () => {
    const $defs = {
      node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } },
      me: { $ref: '#/$defs/me' },
    }
    expect(field({ $ref: '#/$defs/node' }, { $defs })).toEqual(['f: object', '  next: node (as above)'])
    expect(field({ $ref: '#/$defs/me' }, { $defs })).toEqual(['f: me (as above)'])
  })

  it('not deeper, and not longer, than anybody reads', () => {
    let deep: object = { type: 'string' }
    for (let level = 0; level < 200; level += 1) deep = { type: 'object', properties: { x: deep } }
    expect(field(deep).length).toBeLessThan(12)
    // Each level twice: 2 to the power of 30 rows, if nobody counted.
    const $defs: Record<string, object> = { l30: { type: 'string' } }
    for (let level = 0; level < 30; level += 1) {
      const next = { $ref: `#/$defs/l${level + 1}` }
      $defs[`l${level}`] = { type: 'object', properties: { a: next, b: next }, anyOf: undefined }
    }
    const many = field({ $ref: '#/$defs/l0' }, { $defs })
    expect(many.length).toBeGreaterThan(100)
    expect(many.length).toBeLessThan(700)
    const choices: Record<string, object> = { c30: { type: 'object', properties: { x: {} } } }
    for (let level = 0; level < 30; level += 1) {
      choices[`c${level}`] = { anyOf: [{ $ref: `#/$defs/c${level + 1}` }, { $ref: `#/$defs/c${level + 1}` }] }
    }
    expect(field({ $ref: '#/$defs/c0' }, { $defs: choices }).length).toBeLessThan(700)
  })

  it.each([null, true, false, 'text', 7, { type: 7, properties: 'x', required: 1, enum: {}, items: 0 }])(
    'without falling over %j',
    (schema) => {
      expect(lines(schema)).toEqual([])
    },
  )
})

describe('the lines for hosts', () => {
  const url = "https://mcp.example.com/it's?a=$(id)"
  const given = { name: 'My "Server" <b>', url, auth: true, method: 'tools/list', revision: '2026-07-28' }
  const hosts = (over: object = {}) =>
    call('hostsFor(given)', { given: { ...given, ...over } }) as { id: string; code: string; note: string }[]
  const codeOf = (id: string, over: object = {}) => hosts(over).find((host) => host.id === id)?.code ?? ''

  it('are JSON where the host reads JSON, with a name that is a plain key', () => {
    expect(JSON.parse(codeOf('vs-code'))).toEqual({
      inputs: [
        {
          type: 'promptString',
          id: 'mcp-token',
          description: 'Access token for my-server-b',
          password: true,
        },
      ],
      servers: {
        'my-server-b': { type: 'http', url, headers: { Authorization: 'Bearer ${input:mcp-token}' } },
      },
    })
    expect(JSON.parse(codeOf('cursor'))).toEqual({
      mcpServers: { 'my-server-b': { url, headers: { Authorization: 'Bearer ${env:MCP_TOKEN}' } } },
    })
  })

  it('are words of a shell, whatever the address holds', () => {
    const quoted = "'https://mcp.example.com/it'\\''s?a=$(id)'"
    expect(codeOf('claude-code')).toBe(
      `claude mcp add --scope project --transport http my-server-b ${quoted} \\\n` +
        "  --header 'Authorization: Bearer ${MCP_TOKEN}'",
    )
    expect(codeOf('curl')).toContain(`curl -sS ${quoted}`)
    expect(codeOf('curl')).toContain('"Authorization: Bearer $MCP_TOKEN"')
  })

  it('call the newest revision without a session, and an older one by its first request', () => {
    expect(codeOf('curl')).toContain("'Mcp-Method: tools/list'")
    expect(codeOf('curl', { revision: '2025-11-25' })).toContain('"method":"initialize"')
    expect(codeOf('curl', { revision: '2025-11-25' })).not.toContain('Mcp-Method')
  })

  it('use this package with a token from the environment', () => {
    expect(codeOf('mcp-bearer')).toContain(
      `new Client(${JSON.stringify(url)}, { auth: envToken('MCP_TOKEN') })`,
    )
  })

  it('name a variable in place of the token, each of them; and none where no token is asked for', () => {
    for (const { id, code, note } of hosts()) expect(code + note, id).toMatch(/MCP_TOKEN|mcp-token/)
    for (const { id, code, note } of hosts({ auth: false })) {
      expect(code + note, id).not.toMatch(/token|authorization|bearer \$/i)
    }
  })
})
