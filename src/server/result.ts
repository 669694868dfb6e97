import { isShallow } from './json-depth.ts'
import type { ContentBlock, PromptMessage, ResourceContents, ToolResult } from './types.ts'

/**
 * What a tool handler returned, as a tool result:
 *
 * | returned | becomes |
 * |---|---|
 * | nothing | no content |
 * | string, number, boolean | one text block |
 * | a content block, or a list of them | the content |
 * | an object with a `content` list of blocks | the result as it is |
 * | any other object | `structuredContent`, and its JSON as text for clients that read only that |
 * | any other list | its JSON as text |
 *
 * Everything goes through JSON here, where a failure is still an error of this tool; further on it would be silence.
 *
 * @throws TypeError when JSON cannot hold the value (a cycle, a BigInt, a function), or it is nested too deeply
 */
export function toToolResult(value: unknown): ToolResult {
  if (value === undefined || value === null) return { content: [] }
  if (typeof value === 'string') return { content: [{ type: 'text', text: value }] }
  if (typeof value === 'number' || typeof value === 'boolean')
    return { content: [{ type: 'text', text: String(value) }] }
  const text = jsonOf(value)
  const plain = JSON.parse(text) as unknown
  if (isFullResult(plain)) return plain
  if (isContentBlock(plain)) return { content: [plain] }
  if (Array.isArray(plain) && plain.length > 0 && plain.every(isContentBlock)) return { content: plain }
  const content: ContentBlock[] = [{ type: 'text', text }]
  return typeof plain === 'object' && !Array.isArray(plain)
    ? { content, structuredContent: plain }
    : { content }
}

/** The value a tool's `outputSchema` judges: the structured content, else what was returned. */
export function structuredValue(returned: unknown): unknown {
  return isFullResult(returned) ? returned.structuredContent : returned
}

/** What a resource handler returned, as resource contents. Text, JSON or bytes get the URI that was asked for. */
export function toResourceContents(
  uri: string,
  mimeType: string | undefined,
  value: unknown,
): readonly ResourceContents[] {
  if (typeof value === 'string') return [{ uri, mimeType: mimeType ?? 'text/plain', text: value }]
  if (value instanceof Uint8Array) {
    return [
      { uri, mimeType: mimeType ?? 'application/octet-stream', blob: Buffer.from(value).toString('base64') },
    ]
  }
  const text = jsonOf(value)
  const plain = JSON.parse(text) as unknown
  if (isResourceContents(plain)) return [plain]
  if (Array.isArray(plain) && plain.length > 0 && plain.every(isResourceContents)) return plain
  if (hasList(plain, 'contents') && plain.contents.every(isResourceContents)) return plain.contents
  return [{ uri, mimeType: mimeType ?? 'application/json', text }]
}

/** The result of `prompts/get` (MCP "Prompts"). */
export interface PromptResult {
  readonly messages: readonly PromptMessage[]
  readonly description?: string
}

/**
 * What a prompt handler returned (the text of one user message, a list of messages, or the result in full), as the
 * result of `prompts/get`.
 *
 * @throws TypeError when it is none of these
 */
export function toPromptResult(value: unknown): PromptResult {
  if (typeof value === 'string')
    return { messages: [{ role: 'user', content: { type: 'text', text: value } }] }
  const plain = value === undefined ? undefined : (JSON.parse(jsonOf(value)) as unknown)
  const messages: readonly unknown[] = Array.isArray(plain)
    ? plain
    : hasList(plain, 'messages')
      ? plain.messages
      : []
  if (messages.length === 0 || !isPromptMessages(messages)) {
    throw new TypeError('a prompt returns a string, a list of messages, or { messages }')
  }
  return Array.isArray(plain) ? { messages } : { ...(plain as PromptResult), messages }
}

/** The value as JSON. */
function jsonOf(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw new TypeError('JSON cannot hold the value')
  if (!isShallow(text)) throw new TypeError('the value is nested too deeply')
  return text
}

function isPromptMessages(list: readonly unknown[]): list is readonly PromptMessage[] {
  return list.every(isPromptMessage)
}

function isPromptMessage(value: unknown): value is PromptMessage {
  if (typeof value !== 'object' || value === null || !('content' in value) || !('role' in value)) return false
  return (value.role === 'user' || value.role === 'assistant') && isContentBlock(value.content)
}

const requiredMembers: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  image: ['data', 'mimeType'],
  audio: ['data', 'mimeType'],
  resource: ['resource'],
  resource_link: ['uri', 'name'],
}

function isContentBlock(value: unknown): value is ContentBlock {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    return false
  const members = Object.hasOwn(requiredMembers, value.type) ? requiredMembers[value.type] : undefined
  return members?.every((name) => Object.hasOwn(value, name)) === true
}

/** Whether a handler returned a result in full, and not a value to be made into one. */
export function isFullResult(value: unknown): value is ToolResult {
  return (
    hasList(value, 'content') &&
    value.content.every(isContentBlock) &&
    Object.keys(value).every((key) => resultMembers.has(key))
  )
}

const resultMembers = new Set(['content', 'structuredContent', 'isError', '_meta', 'resultType'])

function isResourceContents(value: unknown): value is ResourceContents {
  if (typeof value !== 'object' || value === null || !('uri' in value) || typeof value.uri !== 'string')
    return false
  return (
    ('text' in value && typeof value.text === 'string') || ('blob' in value && typeof value.blob === 'string')
  )
}

function hasList<Name extends string>(value: unknown, name: Name): value is Record<Name, readonly unknown[]> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Array.isArray((value as Partial<Record<Name, unknown>>)[name])
  )
}
