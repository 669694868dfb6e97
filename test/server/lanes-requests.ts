import fc from 'fast-check'
import { alice, bob } from './fixtures.ts'
import type { Sent } from './lanes-compare.ts'
import { promptNames, toolNames, uris } from './lanes-worlds.ts'

/** A JSON-RPC message that is still being made: anything may become of it. */
type Draft = { [name: string]: unknown }
type Change = (message: Draft) => void
type Lines = [name: string, value: string][]

/** Requests of both revisions: good ones, and such as are wrong in one way or in several. */
export function requests(): fc.Arbitrary<Sent> {
  return fc
    .record({
      isModern: fc.boolean(),
      isClean: fc.boolean(),
      id: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(1, 2, 'a') }, { weight: 1, arbitrary: oddIds }),
      asked,
      meta: metas,
      envelope: envelopes,
      changes: fc.array(bodyChanges, { maxLength: 2 }),
      agreeing: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
      lines: fc.array(headChanges, { maxLength: 2 }),
      text: textChanges,
      verb: fc.oneof(
        { weight: 60, arbitrary: fc.constant('POST') },
        { weight: 1, arbitrary: fc.constantFrom('GET', 'DELETE', 'PUT', 'HEAD', 'OPTIONS') },
      ),
      token: tokens,
    })
    .map(
      ({
        isModern,
        isClean,
        id,
        asked: [method, params],
        meta,
        envelope,
        changes,
        agreeing,
        lines,
        text,
        verb,
        token,
      }) => {
        const _meta = { ...meta, ...(isModern && envelope) }
        const hasMeta = isModern || Object.keys(_meta).length > 0
        const all = hasMeta ? { ...params, _meta } : params
        const message: Draft = structuredClone({ jsonrpc: '2.0', id, method, ...(all && { params: all }) })
        const before = headersOf(message, isModern, token)
        if (isClean) return sentOf(verb, before, JSON.stringify(message))
        for (const change of changes) change(message)
        const headers = agreeing ? headersOf(message, isModern, token) : before
        for (const change of lines) change(headers)
        return sentOf(verb, headers, text(JSON.stringify(message)))
      },
    )
}

function sentOf(verb: string, headers: Lines, body: string): Sent {
  return { verb, headers, body: verb === 'GET' || verb === 'HEAD' ? undefined : body }
}

/** The headers a good client sends with a message, as far as one can be made of it. */
function headersOf({ method, params }: Draft, isModern: boolean, token: Lines): Lines {
  const lines: Lines = [
    ['content-type', 'application/json'],
    ['accept', 'application/json, text/event-stream'],
    ['mcp-protocol-version', isModern ? '2026-07-28' : '2025-11-25'],
    ...token,
  ]
  if (!isModern) return lines
  if (typeof method === 'string') lines.push(['mcp-method', headerText(method)])
  const { name, uri } = (params ?? {}) as Draft
  const named = typeof name === 'string' ? name : uri
  if (typeof named === 'string') lines.push(['mcp-name', headerText(named)])
  return lines
}

/** MCP Streamable HTTP, "Value Encoding". */
function headerText(value: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?')) return value
  return `=?base64?${Buffer.from(value).toString('base64')}?=`
}

const anything = fc.jsonValue({ maxDepth: 2 })
const deep = fc.integer({ min: 1, max: 60 }).map((depth) => {
  let value: unknown = 'bottom'
  for (let n = 0; n < depth; n++) value = n % 2 === 0 ? [value] : { in: value }
  return value
})
const oddIds = fc.constantFrom(
  0,
  -1,
  1.5,
  2 ** 53,
  -0,
  '',
  '1',
  'ü',
  'x'.repeat(300),
  null,
  true,
  {},
  [1],
  undefined,
)

/** Of three one that is as it should be. */
function mostly<T>(good: fc.Arbitrary<T>, other: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 3, arbitrary: good }, { weight: 1, arbitrary: other })
}

const inherited = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', '')
const oddNames = fc.oneof(
  inherited,
  fc.string({ maxLength: 12, unit: 'grapheme' }),
  fc.constantFrom('=?base64?ZWNobw==?=', ' echo', 'echo '),
)

const fitting = new Map<unknown, object>([
  ['echo', { text: 'hello' }],
  ['secret', { a: 'b' }],
  ['headed', { region: 'eu', size: 3 }],
])
const calls = fc
  .tuple(
    mostly(fc.constantFrom(...toolNames), oddNames),
    fc.oneof(fc.constant('fitting'), fc.constant('fitting'), anything, deep),
    fc.constantFrom('no', 'some', 'ü', 42, ''),
  )
  .map(([name, args, value]): Asked => {
    const given = args === 'fitting' ? (fitting.get(name) ?? {}) : args
    const chosen = name === 'ruled' && args === 'fitting' ? { mine: value } : given
    return ['tools/call', { name, arguments: chosen }]
  })
const reads = mostly(
  fc.constantFrom(...uris),
  fc.oneof(
    anything,
    fc.constantFrom('users://', 'users://a/b', 'NOTES://today', 'notes://today?x', 'x', '%'),
  ),
).map((uri): Asked => ['resources/read', { uri }])
const gets = fc
  .tuple(mostly(fc.constantFrom(...promptNames), oddNames), mostly(fc.constant({ name: 'Eve' }), anything))
  .map(([name, args]): Asked => ['prompts/get', { name, arguments: args }])
const cursors = fc.constantFrom(
  undefined,
  btoa('echo'),
  btoa('notes://today'),
  btoa('greet'),
  'garbage',
  '',
  5,
  null,
)
const lists = fc
  .tuple(fc.constantFrom('tools/list', 'resources/list', 'resources/templates/list', 'prompts/list'), cursors)
  .map(([method, cursor]): Asked => [method, cursor === undefined ? undefined : { cursor }])
const refs = fc.oneof(
  fc.constantFrom('greet', 'admin_prompt', 'nope').map((name) => ({ type: 'ref/prompt', name })),
  fc
    .constantFrom('users://{id}', 'members://{id}', 'notes://today', 'nope://x')
    .map((uri) => ({ type: 'ref/resource', uri })),
  anything,
)
const completions = fc
  .tuple(
    refs,
    mostly(
      fc.constantFrom('name', 'tone', 'id').map((name) => ({ name, value: 'a' })),
      anything,
    ),
  )
  .map(([ref, argument]): Asked => ['completion/complete', { ref, argument }])
/** What only the slow lane knows, or nobody. A subscription never ends, so it is not among them. */
const others = fc
  .tuple(
    fc.constantFrom(
      'server/discover',
      'ping',
      'initialize',
      'logging/setLevel',
      'resources/subscribe',
      'resources/unsubscribe',
      'notifications/initialized',
      'notifications/cancelled',
      'sampling/createMessage',
      'tasks/get',
      'tools/call ',
      'Tools/List',
      'foo/bar',
      'toString',
      '__proto__',
      '',
    ),
    fc.oneof(
      fc.constantFrom(undefined, {}, { requestId: 1 }, { level: 'debug' }, { uri: 'notes://today' }),
      fc.constant({
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'a', version: '1' },
      }),
      anything.filter((value) => typeof value === 'object').map((value) => ({ ...(value as object) })),
    ),
  )
  .map(([method, params]): Asked => [method, params])
const simple = fc.constantFrom('server/discover', 'ping').map((method): Asked => [method, undefined])

type Asked = [method: string, params: object | undefined]
const asked: fc.Arbitrary<Asked> = fc.oneof(
  { weight: 6, arbitrary: calls },
  { weight: 2, arbitrary: reads },
  { weight: 2, arbitrary: gets },
  { weight: 2, arbitrary: lists },
  { weight: 2, arbitrary: completions },
  { weight: 2, arbitrary: others },
  { weight: 1, arbitrary: simple },
)

const prefix = 'io.modelcontextprotocol/'
const progressTokens = fc.constantFrom('p', 7, 0, '', 1.5, null, {}, true)
const metas = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: progressTokens.map((progressToken) => ({ progressToken })) },
  { weight: 1, arbitrary: anything.map((value) => ({ own: value })) },
)
const clients = fc.constantFrom<object>(
  {},
  { elicitation: {} },
  { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
  { experimental: { mine: {} } },
)
const levels = fc.constantFrom(undefined, 'debug', 'warning', 'emergency', 'loud', 3)
const envelopes = fc.tuple(clients, levels).map(([capabilities, level]) => ({
  [`${prefix}protocolVersion`]: '2026-07-28',
  [`${prefix}clientInfo`]: { name: 'test', version: '1' },
  [`${prefix}clientCapabilities`]: capabilities,
  ...(level !== undefined && { [`${prefix}logLevel`]: level }),
}))

const versions = fc.constantFrom(
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2026-07-28',
  '2099-01-01',
  '',
  'x',
  5,
  null,
)
const envelopeKeys = fc.constantFrom(
  'protocolVersion',
  'clientInfo',
  'clientCapabilities',
  'logLevel',
  'subscriptionId',
  'serverInfo',
)

const bodyChanges: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.constantFrom('jsonrpc', 'id', 'method', 'params'), anything).map(
    ([name, value]): Change =>
      (message) => {
        message[name] = value
      },
  ),
  fc.constantFrom('jsonrpc', 'id', 'method', 'params').map(
    (name): Change =>
      (message) => {
        delete message[name]
      },
  ),
  fc.tuple(fc.constantFrom('extra', 'result', 'error', 'auth', 'toJSON'), anything).map(
    ([name, value]): Change =>
      (message) => {
        message[name] = value
      },
  ),
  fc
    .tuple(
      fc.constantFrom('inputResponses', 'requestState', 'task', 'cursor', '_meta', 'name', 'uri', 'other'),
      anything,
    )
    .map(([name, value]) =>
      inParams((params) => {
        params[name] = value
      }),
    ),
  fc.tuple(fc.constantFrom('input-1', 'input-2'), inputAnswers()).map(([key, answer]) =>
    inParams((params) => {
      params.inputResponses = { [key]: answer }
    }),
  ),
  fc.constantFrom('name', 'uri', 'arguments', '_meta').map((name) =>
    inParams((params) => {
      delete params[name]
    }),
  ),
  versions.map((version) =>
    inMeta((meta) => {
      meta[`${prefix}protocolVersion`] = version
    }),
  ),
  fc.tuple(envelopeKeys, anything).map(([name, value]) =>
    inMeta((meta) => {
      meta[`${prefix}${name}`] = value
    }),
  ),
  envelopeKeys.map((name) =>
    inMeta((meta) => {
      delete meta[`${prefix}${name}`]
    }),
  ),
  fc.constant(
    inMeta((meta) => {
      meta[`${prefix}clientCapabilities`] = { elicitation: {}, sampling: {}, roots: {} }
    }),
  ),
  anything.map(
    (answer): Change =>
      (message) => {
        delete message.method
        delete message.params
        message.result = answer
      },
  ),
)

function inputAnswers(): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.constantFrom<object>(
      { action: 'accept', content: { name: 'Eve' } },
      { action: 'decline' },
      { action: 'accept', content: { name: 5 } },
      { roots: [{ uri: 'file:///x' }] },
      { role: 'assistant', content: { type: 'text', text: 'x' }, model: 'm' },
    ),
    anything,
  )
}

function inParams(change: Change): Change {
  return (message) => {
    if (isObject(message.params)) change(message.params)
  }
}

function inMeta(change: Change): Change {
  return inParams((params) => {
    if (isObject(params._meta)) change(params._meta)
  })
}

function isObject(value: unknown): value is Draft {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const headerNames = fc.constantFrom('mcp-method', 'mcp-name', 'mcp-protocol-version', 'accept')
const headerValues = fc.constantFrom(
  '',
  'x',
  'tools/call',
  'TOOLS/CALL',
  'tools/list',
  'echo',
  'Echo',
  'secret',
  'hidden',
  '2026-07-28',
  '2025-11-25',
  '2025-03-26',
  '2099-01-01',
  '=?base64?ZWNobw==?=',
  '=?base64?c2VjcmV0?=',
  '=?base64?!?=',
  '=?BASE64?ZWNobw==?=',
  '=?base64??=',
  'echo, echo',
  '"echo"',
  'ec%68o',
  '\u00fc',
)
const accepts = fc.constantFrom(
  '*/*',
  'application/json',
  'text/event-stream',
  'text/event-stream, application/json',
  'application/json;q=0, text/event-stream;q=0',
  'APPLICATION/JSON, TEXT/EVENT-STREAM',
  'application/jsonx, text/event-streamx',
  '',
  'text/html',
)
const extras = fc.constantFrom<[string, string]>(
  ['mcp-session-id', 'abc'],
  ['mcp-session-id', ''],
  ['last-event-id', '1'],
  ['mcp-param-region', 'eu'],
  ['mcp-param-region', 'us'],
  ['mcp-param-size', '3'],
  ['mcp-param-size', '3.0'],
  ['mcp-param-size', 'x'],
  ['mcp-param-region', '=?base64?ZXU=?='],
  ['x-forwarded-for', '1.2.3.4'],
  ['origin', 'https://evil.example'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
)

type HeadChange = (lines: Lines) => void
const headChanges: fc.Arbitrary<HeadChange> = fc.oneof(
  headerNames.map(
    (name): HeadChange =>
      (lines) =>
        void removeLine(lines, name),
  ),
  fc.tuple(headerNames, headerValues).map(
    ([name, value]): HeadChange =>
      (lines) => {
        removeLine(lines, name)
        lines.push([name, value])
      },
  ),
  fc.tuple(headerNames, fc.boolean(), headerValues).map(
    ([name, same, value]): HeadChange =>
      (lines) => {
        const [, first] = lines.find(([each]) => each === name) ?? []
        lines.push([name, same ? (first ?? value) : value])
      },
  ),
  fc.tuple(headerNames, fc.constantFrom(' ', '\t', '  ')).map(
    ([name, space]): HeadChange =>
      (lines) => {
        const line = lines.find(([each]) => each === name)
        if (line) line[1] = `${space}${line[1]}${space}`
      },
  ),
  accepts.map(
    (value): HeadChange =>
      (lines) => {
        removeLine(lines, 'accept')
        lines.push(['accept', value])
      },
  ),
  fc
    .constantFrom('text/plain', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/jsonx')
    .map(
      (value): HeadChange =>
        (lines) => {
          removeLine(lines, 'content-type')
          lines.push(['content-type', value])
        },
    ),
  extras.map(
    (line): HeadChange =>
      (lines) =>
        void lines.push([...line]),
  ),
)

function removeLine(lines: Lines, name: string): void {
  const at = lines.findIndex(([each]) => each === name)
  if (at !== -1) lines.splice(at, 1)
}

/** What can be wrong with the text before it is a message. */
const textChanges: fc.Arbitrary<(text: string) => string> = fc.oneof(
  { weight: 12, arbitrary: fc.constant((text: string) => text) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      (text: string) => ` \n${text}\n`,
      (text: string) => `[${text}]`,
      (text: string) => text.slice(0, -1),
      (text: string) => text.replace('{', '{"id":"first",'),
      (text: string) => text.replace(/\}$/, ',"method":"tools/list"}'),
      (text: string) => text.replace('{', '{"__proto__":{"id":5},'),
      (text: string) => text.replace('"params":{', '"params":{"__proto__":{"name":"secret"},'),
      (text: string) => text.replace('"_meta":{', '"_meta":{"__proto__":{"progressToken":1},'),
      () => 'null',
      () => '5',
      () => '{}',
      () => '[]',
      () => '',
    ),
  },
)

const known = [alice, bob].map((token): Lines => [['authorization', `Bearer ${token}`]])
const tokens: fc.Arbitrary<Lines> = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...known) },
  { weight: 1, arbitrary: fc.constantFrom<Lines>([['authorization', 'Bearer nobody']], []) },
)
