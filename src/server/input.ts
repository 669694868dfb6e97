import { ToolError } from '../core/index.ts'
import type { Elicitation, ElicitationAnswer, Root, Sampling, SamplingAnswer } from './input-types.ts'
import { validate } from './schema.ts'
import type { JsonObject, StandardSchema } from './types.ts'

/** What a client can be asked for, as it goes over the wire. */
export interface InputRequest {
  readonly method: 'elicitation/create' | 'sampling/createMessage' | 'roots/list'
  readonly params?: JsonObject
}

/** How the client of one call is asked for something. The protocol revisions differ in it, handlers do not. */
export interface InputChannel {
  /** Rejects when the call ends to ask the client. `undefined` where the client can be asked while the call waits. */
  readonly suspension: Promise<never> | undefined
  elicit(question: Elicitation): Promise<ElicitationAnswer>
  sample(question: Sampling): Promise<SamplingAnswer>
  roots(): Promise<readonly Root[]>
}

/**
 * Asks once and resolves to what the client answered, which is not trusted: it may be anything. Called again when the
 * answer does not do; may never settle. `key` is what the author calls the question.
 */
export type Ask = (request: InputRequest, key: string | undefined) => Promise<unknown>

/** A client that answers wrongly is asked this often. */
const mostAttempts = 3

/** Makes an {@link InputChannel}: what is asked is the same everywhere, how it travels is up to `ask`. */
export function inputChannel(
  ask: Ask,
  forms: FormSchemas,
  suspension: Promise<never> | undefined = undefined,
): InputChannel {
  async function asked<T>(
    request: InputRequest,
    key: string | undefined,
    read: (answer: unknown) => Promise<T | undefined>,
  ): Promise<T> {
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      const result = await read(await ask(request, key))
      if (result !== undefined) return result
    }
    throw new ToolError(`The client did not answer ${request.method} as it was asked to`)
  }
  return {
    suspension,
    elicit(question) {
      const form = 'schema' in question ? forms(question.schema) : undefined
      const params = form
        ? { mode: 'form', message: question.message, requestedSchema: form.json }
        : { mode: 'url', message: question.message, url: 'url' in question ? question.url : '' }
      const request = { method: 'elicitation/create', params } as const
      return asked(request, question.key, (answer) => readElicitation(answer, form?.schema))
    },
    sample: ({ key, ...params }) => asked({ method: 'sampling/createMessage', params }, key, readSampling),
    roots: () => asked({ method: 'roots/list' }, undefined, readRoots),
  }
}

/** A form: as it goes out, and what judges what comes back. */
export interface Form {
  readonly json: JsonObject
  readonly schema: StandardSchema
}

/** Makes the {@link Form} of a schema. */
export type FormSchemas = (schema: StandardSchema | JsonObject) => Form

async function readElicitation(
  answer: unknown,
  schema: StandardSchema | undefined,
): Promise<ElicitationAnswer | undefined> {
  if (!isObject(answer)) return undefined
  const { action, content = {} } = answer
  if (action === 'decline' || action === 'cancel') return { action }
  if (action !== 'accept' || !isObject(content)) return undefined
  if (!schema) return { action, content: {} }
  const checked = await validate(schema, content)
  return checked.ok ? { action, content: checked.value as Record<string, unknown> } : undefined
}

async function readSampling(answer: unknown): Promise<SamplingAnswer | undefined> {
  return isSamplingAnswer(answer) ? answer : undefined
}

function isSamplingAnswer(answer: unknown): answer is SamplingAnswer {
  if (typeof answer !== 'object' || answer === null) return false
  const { role, content, model } = answer as Partial<SamplingAnswer>
  const isSaid = (role === 'user' || role === 'assistant') && typeof content === 'object' && content !== null
  return isSaid && typeof model === 'string'
}

async function readRoots(answer: unknown): Promise<readonly Root[] | undefined> {
  if (!isObject(answer) || !Array.isArray(answer.roots)) return undefined
  const roots: readonly unknown[] = answer.roots
  return roots.every((root): root is Root => isObject(root) && typeof root.uri === 'string')
    ? roots
    : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
