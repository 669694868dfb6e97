/** Tools and a prompt that ask the client before they answer: for a form, for a model's words, for its roots. */
import { z } from 'zod'
import { enumsForm, form, formWithDefaults } from './forms.mjs'

/**
 * Adds them.
 *
 * @param server an `MCPServer`
 * @param access options that every component gets, such as its scopes
 */
export function addAskingTools(server, access) {
  const add = (name, description, handler, options = {}) =>
    server.tool(name, { description, ...access, ...options }, handler)
  addSessionTools(add)
  addRoundTools(add)
  addCapabilityTools(add)
  const options = { description: 'Asks for its context', ...access }
  server.prompt('test_input_required_result_prompt', options, async (_args, ctx) => {
    const question = {
      key: 'user_context',
      message: 'What context should the prompt use?',
      schema: form({ context: { type: 'string' } }),
    }
    const { content } = await ctx.elicit(question)
    return `Use this context: ${content?.context ?? 'none'}`
  })
}

/** What scenarios of 2025-11-25 call: the question is a request on the stream of the call. */
function addSessionTools(add) {
  const sampling = { inputSchema: z.object({ prompt: z.string() }) }
  const sample = async ({ prompt }, ctx) =>
    `LLM response: ${(await ctx.sample(ask(prompt, 100))).content.text}`
  add('test_sampling', 'Asks the model of the client', sample, sampling)
  const asks = (schema, message) => async (args, ctx) => {
    const { action, content } = await ctx.elicit({ message: args.message ?? message, schema })
    return `Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`
  }
  const user = form({
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  })
  const elicitation = { inputSchema: z.object({ message: z.string() }) }
  add('test_elicitation', 'Asks the user', asks(user), elicitation)
  add(
    'test_elicitation_sep1034_defaults',
    'Asks with defaults',
    asks(formWithDefaults, 'Please review and update the values'),
  )
  add(
    'test_elicitation_sep1330_enums',
    'Asks with choices',
    asks(enumsForm, 'Please select from the choices'),
  )
}

/** What scenarios of 2026-07-28 call: the call ends with the question, and is made again with the answer. */
function addRoundTools(add) {
  const name = 'test_input_required_result'
  add(`${name}_elicitation`, 'Asks for a name', async (_args, ctx) => {
    const { content } = await ctx.elicit(nameQuestion)
    return `Hello, ${content?.name ?? 'nobody'}!`
  })
  add(`${name}_sampling`, 'Asks for a capital', async (_args, ctx) => {
    const answer = await ctx.sample(ask('What is the capital of France?', 100))
    return answer.content.text
  })
  add(`${name}_list_roots`, 'Asks for the roots', async (_args, ctx) => {
    const roots = await ctx.roots()
    return `Roots: ${roots.map(({ uri }) => uri).join(' ')}`
  })
  add(`${name}_multiple_inputs`, 'Asks three things at once', async (_args, ctx) => {
    const questions = [ctx.elicit(nameQuestion), ctx.sample(ask('Generate a greeting', 50)), ctx.roots()]
    const [{ content }, answer, roots] = await Promise.all(questions)
    return `${answer.content.text} ${content?.name}, with ${roots.length} roots`
  })
  add(`${name}_multi_round`, 'Asks twice', async (_args, ctx) => {
    const first = await ctx.elicit({ message: 'Step 1: What is your name?', schema: nameForm })
    const color = form({ color: { type: 'string' } })
    const second = await ctx.elicit({ message: 'Step 2: What is your favorite color?', schema: color })
    return `${first.content?.name} likes ${second.content?.color}`
  })
  const confirm = { message: 'Please confirm', schema: form({ ok: { type: 'boolean' } }) }
  for (const what of ['request_state', 'tampered_state']) {
    add(`${name}_${what}`, 'Asks for a confirmation', async (_args, ctx) => {
      const { action } = await ctx.elicit(confirm)
      return `state-ok: ${action}`
    })
  }
}

/** What happens when the client cannot do what it is asked for. */
function addCapabilityTools(add) {
  add('test_input_required_result_capabilities', 'Asks for what the client can do', async (_args, ctx) => {
    const declared = ctx.clientCapabilities
    const questions = [
      declared.elicitation && ctx.elicit(nameQuestion),
      declared.sampling && ctx.sample(ask('Generate a greeting', 50)),
    ]
    const answers = (await Promise.all(questions)).filter(Boolean)
    return `${answers.length} answers`
  })
  add('test_missing_capability', 'Asks the model of a client that may have none', async (_args, ctx) => {
    const answer = await ctx.sample(ask('Is there a model?', 10))
    return answer.content.text
  })
  add('test_streaming_elicitation', 'Says how far it is, then asks', async (_args, ctx) => {
    await ctx.progress(1, 2)
    const { action } = await ctx.elicit(nameQuestion)
    return action
  })
}

const nameForm = form({ name: { type: 'string' } })
const nameQuestion = { key: 'user_name', message: 'What is your name?', schema: nameForm }

function ask(prompt, maxTokens) {
  return { messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens }
}
