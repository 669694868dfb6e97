/** The resources and prompts that the official scenarios read, by the names and with the contents these ask for. */
import { z } from 'zod'
import { png, text } from './content.mjs'

/**
 * Adds the resources.
 *
 * @param server an `MCPServer`
 * @param access options that every component gets, such as its scopes
 */
export function addResources(server, access) {
  const add = (uri, name, mimeType, handler) => server.resource(uri, { name, mimeType, ...access }, handler)
  add(
    'test://static-text',
    'static-text',
    'text/plain',
    () => 'This is the content of the static text resource.',
  )
  add('test://static-binary', 'static-binary', 'image/png', () => Buffer.from(png.data, 'base64'))
  add('test://watched-resource', 'watched-resource', 'text/plain', () => 'Somebody watches this.')
  add('test://template/{id}/data', 'template', 'application/json', ({ id }) => ({
    id,
    templateTest: true,
    data: `Data for ID: ${id}`,
  }))
}

/**
 * Adds the prompts.
 *
 * @param server an `MCPServer`
 * @param access options that every component gets, such as its scopes
 */
export function addPrompts(server, access) {
  const add = (name, description, handler, options = {}) =>
    server.prompt(name, { description, ...access, ...options }, handler)
  add('test_simple_prompt', 'A text', () => 'This is a simple prompt for testing.')
  add(
    'test_prompt_with_arguments',
    'A text made of its arguments',
    ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`,
    {
      argsSchema: z.object({ arg1: z.string(), arg2: z.string() }),
      complete: { arg1: (value) => ['test', 'testing', 'tested'].filter((word) => word.startsWith(value)) },
    },
  )
  add(
    'test_prompt_with_embedded_resource',
    'A resource and what to do with it',
    ({ resourceUri }) => [
      fromUser({
        type: 'resource',
        resource: {
          uri: resourceUri,
          mimeType: 'text/plain',
          text: 'Embedded resource content for testing.',
        },
      }),
      fromUser(text('Please process the embedded resource above.')),
    ],
    { argsSchema: z.object({ resourceUri: z.string() }) },
  )
  add('test_prompt_with_image', 'An image and what to do with it', () => [
    fromUser(png),
    fromUser(text('Please analyze the image above.')),
  ])
}

function fromUser(content) {
  return { role: 'user', content }
}
