import type { JsonObject } from './types.ts'

/** Lists that were written before. Only frozen ones: they are the same for as long as they exist. */
const texts = new WeakMap<readonly unknown[], string>()

const listMembers = ['tools', 'resources', 'resourceTemplates', 'prompts'] as const

/** A shorter list is written as fast as it is looked up. */
const shortest = 8

/** A JSON-RPC message as text. What many are told again and again, such as a list of a hundred tools, is written once. */
export function messageText(message: object): string {
  const { result } = message as { readonly result?: JsonObject }
  const member = result && listMembers.find((name) => isKept(result[name]))
  if (!result || member === undefined) return JSON.stringify(message)
  const { [member]: list, ...others } = result
  const behind = JSON.stringify(others).slice(1)
  const comma = behind === '}' ? '' : ','
  const head = JSON.stringify({ ...message, result: undefined }).slice(0, -1)
  return `${head},"result":{"${member}":${textOf(list as readonly unknown[])}${comma}${behind}}`
}

function isKept(list: unknown): boolean {
  return Array.isArray(list) && list.length >= shortest && Object.isFrozen(list)
}

function textOf(list: readonly unknown[]): string {
  const text = texts.get(list) ?? JSON.stringify(list)
  texts.set(list, text)
  return text
}
