import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayFileError, parseGatewayFile, readGatewayFile } from './gateway-file.ts'

function problemOf(text: string): string {
  try {
    parseGatewayFile(text, 'g.yaml')
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayFileError)
    return (error as Error).message
  }
  return ''
}

const full = `
listen: 127.0.0.1:8000
path: /mcp
command: [node, server.mjs, "", "two\\nlines"]
cwd: /srv
env: [HOME, 'KEY=\${KEY}', 'APP_*']
processes: { per: principal, max: 10, maxPerPrincipal: 2, idleSeconds: 60, startSeconds: 10, clientRoots: true }
auth:
  keys: keys.db
  jwks: discover
  issuer: https://idp.example.com
  audience: [a, b]
  algorithms: [RS256]
  publicKey: key.pem
  introspect: { endpoint: 'https://idp.example.com/introspect', clientId: x, clientSecret: '\${SECRET}' }
  requiredScopes: [mcp]
  apiKeyHeader: X-API-Key
http: { resource: 'https://mcp.example.com/mcp', allowedHosts: [a], allowedOrigins: [b], trustProxy: 1, scopesSupported: [c] }
identity: { mode: jwt, keyFile: k.pem, issuer: i, audience: a, header: mcp-identity }
limits: { requestsPerMinute: 1, failuresPerMinute: 0, maxBodyBytes: 1, maxStreams: 1, maxConnections: 1 }
metrics: 127.0.0.1:9000
log: json
policy:
  default: deny
  rules:
    - &base
      name: all of it
      who: { scopes: [a], subjects: ['*'], clients: ['*'], keys: ['*'], issuers: [i], tenants: ['*'] }
      tools: [a]
      resources: ['docs://**']
      prompts: [p]
      methods: [acme/do]
      arguments: { a: { type: object } }
      callsPerMinute: 5
    - *base
`

describe('parseGatewayFile', () => {
  it('reads every member', () => {
    const file = parseGatewayFile(full, 'g.yaml')
    expect(file.policy?.rules).toHaveLength(2)
    expect(file.command).toEqual(['node', 'server.mjs', '', 'two\nlines'])
    expect(file.env).toEqual(['HOME', 'KEY=${KEY}', 'APP_*'])
    expect(
      parseGatewayFile(
        'url: https://x\nupstream: { auth: "env:A", headers: { X-A: b }, timeoutSeconds: 0, allowInsecure: true }',
        'g',
      ),
    ).toEqual({
      url: 'https://x',
      upstream: { auth: 'env:A', headers: { 'X-A': 'b' }, timeoutSeconds: 0, allowInsecure: true },
    })
  })

  it('reads JSON as what it is', () => {
    const json = fc.json().map((text) => JSON.parse(text) as unknown)
    const names = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\r\n\0]/.test(text))
    fc.assert(
      fc.property(
        fc.array(names, { minLength: 1, maxLength: 5 }),
        json,
        fc.constantFrom(0, 2, '\t'),
        (tools, extra, space) => {
          const file = {
            policy: { deny: { tools }, rules: [{ tools: ['a'], arguments: { a: { const: extra } } }] },
          }
          expect(parseGatewayFile(JSON.stringify(file, null, space), 'g.json')).toEqual(file)
        },
      ),
      { numRuns: 50 },
    )
  })

  it.each([
    ['', 'g.yaml:1:1: is empty'],
    ['# nothing\n', 'g.yaml:1:1: is empty'],
    ['---\n', 'is empty'],
    ['[]', 'g.yaml:1:1: must be an object of $schema, listen'],
    ['just text', 'must be an object'],
    ['listne: x', 'g.yaml:1:1: listne: does not exist. Did you mean "listen"?'],
    [
      'log: text\npolicy:\n  rules:\n    - tools: [a]\n    - toolz: [b]\n',
      'g.yaml:5:7: policy.rules[1].toolz: does not exist. Did you mean "tools"?',
    ],
    [
      'policy:\n  rules:\n    - tools: [a, 5]\n',
      'g.yaml:3:18: policy.rules[0].tools[1]: must be a text that is not empty and holds no line breaks; put it in quotes',
    ],
    ['policy:', 'g.yaml:1:1: policy: must be an object'],
    ['policy: ~', 'policy: must be an object'],
    ['policy:\n  readOnly: yes', 'g.yaml:2:3: policy.readOnly: must be true or false'],
    [
      'policy:\n  rules:\n    - tools: [read]\n      arguments: { raed: { type: object } }',
      'g.yaml:4:20: policy.rules[0].arguments.raed: fits no tool',
    ],
    ['identity: {}', 'g.yaml:1:1: identity: needs the member "mode"'],
    ['log: 1\nlog: 2', 'g.yaml:2:1: stands here for the second time'],
    ['{"log": "text", "log": "json"}', 'stands here for the second time'],
    ['log: !!js/function x', 'g.yaml:1:6: tags, such as !this'],
    ['log: !x text', 'tags, such as !this'],
    ['log: !!binary aGk=', 'tags, such as !this'],
    ['<<: { log: text }', 'g.yaml:1:1: merge keys are not known'],
    ['auth:\n  <<: { keys: x }', 'g.yaml:2:3: merge keys are not known'],
    ['%YAML 1.1\n---\nlog: text', 'directives'],
    ['%TAG !x! tag:x\n---\nlog: text', 'directives'],
    ['log: text\n---\nlog: text', 'a second document'],
    ['log: *x', 'g.yaml:1:6: there is no anchor'],
    ['policy: &x { deny: *x }', 'is inside of what it stands for'],
    ['? [a]\n: b', 'must be a name'],
    ['\tlog: text', 'indented with a tab'],
    ['log: "\\q"', 'escape that does not exist'],
    ['log: @x', 'begins with a character that means something'],
    ['listen: a: b', 'put the text in quotes'],
    ['url: a\ncommand: b', 'g.yaml:1:1: url: there is a command as well'],
    ['url: a\ncwd: b\nenv: [A]', 'g.yaml:2:1: cwd: has no effect'],
    ['command: a\nupstream: { auth: x }', 'upstream: has no effect'],
    ['upstream: { auth: x, exchange: { issuer: y } }', 'upstream.auth: there is an exchange as well'],
    ['identity: { mode: env, header: x }', 'identity.header: has no effect'],
    ['url: a\nidentity: { mode: env }', 'identity.mode: must be "jwt" for a url'],
    ['upstream: { headers: { "a b": c } }', 'upstream.headers["a b"]: must be the name of a header'],
    ['upstream: { headers: { a: "b\\nc" } }', 'upstream.headers.a: must be a text'],
    ['__proto__: { policy: {} }', '__proto__: does not exist'],
    ['constructor: x', 'constructor: does not exist'],
    ['limits: { maxStreams: .inf }', 'limits.maxStreams: must be a whole number'],
    ['limits: { maxStreams: 1e400 }', 'limits.maxStreams: must be a whole number'],
  ])('%j: %s', (text, expected) => {
    expect(problemOf(text)).toContain(expected)
  })

  it('tells everything that is wrong, in the order of the file', () => {
    const lines = problemOf('log: x\nlistne: y\npolicy:\n  rules: z\n').split('\n')
    expect(lines.map((line) => line.split(': ')[0])).toEqual(['g.yaml:1:1', 'g.yaml:2:1', 'g.yaml:4:3'])
    try {
      parseGatewayFile('listne: y', 'g.yaml')
    } catch (error) {
      expect((error as GatewayFileError).problems).toMatchObject([{ line: 1, column: 1, path: 'listne' }])
    }
  })

  it('finds the place of what was reached through an alias', () => {
    const text = 'policy:\n  rules:\n    - &a { tools: [x] }\n    - *a\n  deny: &b { tool: [x] }\n'
    expect(problemOf(text)).toContain('g.yaml:5:14: policy.deny.tool')
  })

  it('repeats nothing that stands there but names', () => {
    const secret = 'hunter2'
    for (const text of [
      `log: ${secret}`,
      `auth: ${secret}`,
      `upstream: { auth: [${secret}] }`,
      `policy: { rules: [{ tools: ${secret} }] }`,
      `x: [1\nsecret: ${secret}: z`,
      `auth: { keys: "${secret}`,
      `- ${secret}\nb: c`,
      `auth: *${secret}`,
      `auth: !${secret} x`,
      `policy: { readOnly: ${secret} }`,
      `upstream: { headers: { authorization: "${secret}\\n" } }`,
    ])
      expect([text, problemOf(text)]).toEqual([text, expect.not.stringContaining(secret)])
    expect(problemOf(`"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl": x`)).not.toContain(
      'eyJzdWIiOiJhIn0',
    )
  })

  it('is not brought down by what is nested, long or multiplied', () => {
    const lol = (level: number): string =>
      level === 0
        ? 'a0: &a0 [x, x]'
        : `${lol(level - 1)}\na${level}: &a${level} [*a${level - 1}, *a${level - 1}, *a${level - 1}, *a${level - 1}, *a${level - 1}, *a${level - 1}]`
    for (const text of [
      '['.repeat(20_000),
      `a: ${'{a: '.repeat(5000)}`,
      `a: ${'['.repeat(1000)}${']'.repeat(1000)}`,
      '- '.repeat(5000),
      lol(12),
      `a: &a x\nb: [${'*a, '.repeat(5000)}]`,
      `x: ${'a'.repeat(500_000)}`,
    ]) {
      const problem = problemOf(text)
      expect(problem).toContain('g.yaml:')
      expect(problem.length).toBeLessThan(20_000)
    }
  })

  it('never throws anything else, whatever the text', () => {
    const piece = fc.constantFrom(
      ...'policy rules - : , [ ] { } & * ! | > " \' % @ # ? ~ a 1'.split(' '),
      '\n',
      '  ',
      '\t',
      '<<',
      'tools',
      '---',
      '\0',
      '\uFEFF',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('')
        try {
          parseGatewayFile(text, 'g.yaml')
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayFileError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('readGatewayFile', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gateway-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  async function read(content: string | Uint8Array) {
    const path = join(folder, 'g.yaml')
    await writeFile(path, content)
    return readGatewayFile(path)
  }

  it('reads a file, with or without a byte order mark', async () => {
    expect(await read('log: json')).toEqual({ log: 'json' })
    expect(await read('\uFEFFlog: json')).toEqual({ log: 'json' })
  })

  it('names the file', async () => {
    await expect(read('log: x')).rejects.toThrow(`${join(folder, 'g.yaml')}:1:1: log: must be`)
  })

  it.each([
    ['longer than 1 MiB', `# ${'x'.repeat(1024 * 1024)}`],
    ['no text in UTF-8', new Uint8Array([0x61, 0x3a, 0x20, 0xff])],
  ])('a file that is %s is refused', async (expected, content) => {
    await expect(read(content)).rejects.toThrow(GatewayFileError)
    await expect(read(content)).rejects.toThrow(expected)
  })

  it('a file of exactly 1 MiB is read', async () => {
    expect(await read(`log: json\n#${'x'.repeat(1024 * 1024 - 11)}`)).toEqual({ log: 'json' })
  })

  it('says why a file cannot be read', async () => {
    await expect(readGatewayFile(join(folder, 'none.yaml'))).rejects.toThrow('cannot be read (ENOENT)')
    await expect(readGatewayFile(folder)).rejects.toThrow('cannot be read (EISDIR)')
  })
})
