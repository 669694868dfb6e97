import type { AccessToken, Logger } from '../core/index.ts'
import type { Caller } from './component.ts'
import { stackText } from './failure.ts'
import type { Complete, CompletionContext } from './types.ts'

/** What is suggested for the arguments of one prompt, or the variables of one template. */
export interface Completions {
  readonly size: number
  /** Values that begin like this; none when nothing is suggested for the argument. Never throws. */
  suggest(
    argument: string,
    value: string,
    context: CompletionContext,
    caller: Caller,
  ): Promise<readonly string[]>
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
    async suggest(argument, value, context) {
      try {
        const found: unknown = await functions.get(argument)?.(value, context)
        return Array.isArray(found) ? found.filter((text): text is string => typeof text === 'string') : []
      } catch (error) {
        logger(failed(owner, error, context.auth))
        return []
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

/** Suggestions as they go over the wire. */
export function completionResult(values: readonly string[]): object {
  const shown = values.slice(0, mostValues)
  return { completion: { values: shown, total: values.length, hasMore: values.length > shown.length } }
}
