import type { Client } from '@modelcontextprotocol/client'
import { z } from 'zod'
import type { Client as OwnClient } from '../../src/client/client.ts'

/** One request to a server. */
export interface Ask {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Asks, and gives the result or the error, as far as both are the same each time. */
export type Asking = (ask: Ask) => Promise<unknown>

/** Tools with tests of their own: they go on by themselves, are tasks, or differ from process to process. */
export const apart: readonly string[] = [
  'get-env',
  'toggle-simulated-logging',
  'toggle-subscriber-updates',
  'simulate-research-query',
]

const tool = (name: string, args: Readonly<Record<string, unknown>> = {}): Ask => ({
  method: 'tools/call',
  params: { name, arguments: args },
})
const read = (uri: string): Ask => ({ method: 'resources/read', params: { uri } })
const prompt = (name: string, args: Readonly<Record<string, string>> = {}): Ask => ({
  method: 'prompts/get',
  params: { name, arguments: args },
})
const complete = (
  ref: Readonly<Record<string, string>>,
  name: string,
  value: string,
  given?: Readonly<Record<string, string>>,
): Ask => ({
  method: 'completion/complete',
  params: { ref, argument: { name, value }, ...(given && { context: { arguments: given } }) },
})

/** What the server shows of itself. */
export const lists: readonly Ask[] = ['tools', 'resources', 'resources/templates', 'prompts'].map((what) => ({
  method: `${what}/list`,
  params: {},
}))

/** Every tool of it but {@link apart}; also what is wrong about a call. */
export const toolCalls: readonly Ask[] = [
  tool('echo', { message: 'Grüße, 世界 🐎 \u2028 \0' }),
  tool('echo', { message: 'x'.repeat(300_000) }),
  tool('echo', { message: 7 }),
  tool('echo'),
  tool('get-sum', { a: 1.5, b: -3e21 }),
  tool('get-tiny-image'),
  ...['error', 'success', 'debug'].map((messageType) =>
    tool('get-annotated-message', { messageType, includeImage: messageType === 'debug' }),
  ),
  tool('get-resource-links', { count: 3 }),
  tool('get-resource-reference', { resourceType: 'Text', resourceId: 2 }),
  tool('get-resource-reference', { resourceType: 'Blob', resourceId: 3 }),
  tool('get-resource-reference', { resourceType: 'Blob', resourceId: -1 }),
  tool('get-structured-content', { location: 'Chicago' }),
  tool('gzip-file-as-resource', { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resource' }),
  tool('gzip-file-as-resource', { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resourceLink' }),
  tool('trigger-long-running-operation', { duration: 0.1, steps: 2 }),
  tool('trigger-sampling-request', { prompt: 'Say it', maxTokens: 7 }),
  tool('trigger-elicitation-request'),
  tool('trigger-url-elicitation', { url: 'https://example.com/', elicitationId: 'e1' }),
  tool('get-roots-list'),
  tool('no-such-tool'),
]

/** Resources, prompts, completions, and what there is not. */
export const otherCalls: readonly Ask[] = [
  read('demo://resource/dynamic/text/7'),
  read('demo://resource/dynamic/blob/7'),
  read('demo://resource/session/a.gz'),
  read('demo://resource/dynamic/text/none'),
  read('demo://nothing'),
  prompt('simple-prompt'),
  prompt('args-prompt', { city: 'Köln', state: 'NRW' }),
  prompt('args-prompt', { city: 'Köln' }),
  prompt('args-prompt'),
  prompt('completable-prompt', { department: 'Sales', name: 'Eve' }),
  prompt('resource-prompt', { resourceType: 'Text', resourceId: '4' }),
  prompt('no-such-prompt'),
  complete({ type: 'ref/prompt', name: 'completable-prompt' }, 'department', 'S'),
  complete({ type: 'ref/prompt', name: 'completable-prompt' }, 'name', '', { department: 'Support' }),
  complete({ type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' }, 'resourceId', '12'),
  complete({ type: 'ref/prompt', name: 'no-such-prompt' }, 'name', ''),
  { method: 'ping', params: {} },
]

/** What only a client can send that sends anything. */
export const oddCalls: readonly Ask[] = [
  { method: 'no/such/method', params: {} },
  { method: 'tools/call', params: {} },
  { method: 'resources/read', params: { uri: 7 } },
  { method: 'logging/setLevel', params: { level: 'loud' } },
]

const anyResult = z.looseObject({})

/** Asks through the SDK's client, whatever the method. */
export function askingSdk(client: Client): Asking {
  return ({ method, params }) => outcomeOf(client.request({ method, params }, anyResult, { timeout: 20_000 }))
}

/** Asks through the package's client, with its own words for each method. */
export function askingOwn(client: OwnClient): Asking {
  const methods: Readonly<Record<string, (params: never) => Promise<unknown>>> = {
    'tools/list': async () => ({ tools: await client.listTools() }),
    'resources/list': async () => ({ resources: await client.listResources() }),
    'resources/templates/list': async () => ({ resourceTemplates: await client.listResourceTemplates() }),
    'prompts/list': async () => ({ prompts: await client.listPrompts() }),
    'tools/call': ({ name, arguments: args }: { name: string; arguments: object }) =>
      client.callTool(name, args, { raw: true }),
    'resources/read': ({ uri }: { uri: string }) => client.readResource(uri),
    'prompts/get': ({ name, arguments: args }: { name: string; arguments: Record<string, string> }) =>
      client.getPrompt(name, args),
    'completion/complete': async ({ ref, argument, context }: Parameters<Client['complete']>[0]) => ({
      completion: await client.complete(ref, argument, { context: context?.arguments ?? {} }),
    }),
    ping: async () => {
      await client.ping()
      return {}
    },
  }
  return ({ method, params }) => outcomeOf(methods[method]!(params as never))
}

async function outcomeOf(asked: Promise<unknown>): Promise<unknown> {
  try {
    return steady({ result: await asked })
  } catch (error) {
    const { code, message, data } = error as { code?: unknown; message: string; data?: unknown }
    return steady({ code, message, ...(data !== undefined && { data }) })
  }
}

/** Without what differs each time: the time of day, and the ids of sessions. */
function steady(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name, member) => {
    if (typeof member !== 'string') return member
    if (name === 'blob') return steadyText(unpacked(member))
    return steadyText(member)
  })
}

function steadyText(text: string): string {
  return text
    .replaceAll(/created at \d+:\d\d:\d\d(\s?[AP]M)?/g, 'created at …')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '…')
}

/** A text where it is one. */
function unpacked(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString('utf8')
  return text.startsWith('Resource ') ? text : base64
}
