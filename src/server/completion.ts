import type { AccessToken, Logger } from '../core/index.ts'
import type { CallContext } from './call-context.ts'
import type { Caller } from './component.ts'
import { stackText } from './failure.ts'
import type { Complete, CompletionContext } from './types.ts'

/** What is suggested for the arguments of one prompt, or the variables of one template. */
export interface Completions {
  readonly size: number
  /** The result of the request; without values when nothing is suggested for the argument, or the suggestion fails. */
  suggest(asked: CompletionAsked, ctx: CallContext, caller: Caller): Promise<CompletionResult>
}

/** What is to be completed. */
export interface CompletionAsked {
  /** The prompt or template, as the caller named it. */
  readonly ref: object
  readonly argument: { readonly name: string; readonly value: string }
  readonly context: CompletionContext
}

/** Suggestions as they go over the wire (MCP "Completion"). */
export type CompletionResult = {
  readonly completion: {
    readonly values: string[]
    readonly total: number
    readonly hasMore: boolean
  }
}

/**
 * Checks the suggestions of a component.
 * @throws TypeError when one is no function, or for something that does not exist
 */
export function completions(
  owner: string,
  complete: Readonly<Record<string, Complete>> = {},
  names: readonly string[],
  logger: Logger,
): Completions {
  const functions = new Map(Object.entries(complete))
  for (const [name, suggest] of functions) {
    if (!names.includes(name)) throw new TypeError(`${owner}: complete: there is no "${name}" to complete`)
    if (typeof suggest !== 'function')
      throw new TypeError(`${owner}: complete: "${name}" must be a function that returns texts`)
  }
  return {
    size: functions.size,
    async suggest({ argument: { name, value }, context }) {
      try {
        const found: unknown = await functions.get(name)?.(value, context)
        return resultOf(Array.isArray(found) ? found : [])
      } catch (error) {
        logger(failed(owner, error, context.auth))
        return resultOf([])
      }
    },
  }
}

/** A person is typing: suggestions that fail are none. */
function failed(owner: string, error: unknown, caller: AccessToken | undefined) {
  const details = { component: owner, error: stackText(error, caller) }
  return {
    level: 'error',
    event: 'handler_failed',
    message: `completion of ${owner} threw`,
    details,
  } as const
}

/** The most that is sent (MCP "Completion"). */
const mostValues = 100

function resultOf(found: readonly unknown[]): CompletionResult {
  const texts = found.filter((text): text is string => typeof text === 'string')
  const values = texts.slice(0, mostValues)
  return { completion: { values, total: texts.length, hasMore: texts.length > values.length } }
}
