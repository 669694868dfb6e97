import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { onTestFinished } from 'vitest'
import { Client as OwnClient } from '../../src/client/client.ts'

/** Answers that every client of these tests gives, so that each call comes to the same. */
const answers = {
  form: { action: 'accept' as const, content: { name: 'Ada', check: true } },
  url: { action: 'accept' as const },
  words: { role: 'assistant' as const, model: 'm', content: { type: 'text' as const, text: 'sampled' } },
  roots: [{ uri: 'file:///work', name: 'work' }],
}

/** What a client has heard. */
export interface Heard {
  readonly logged: unknown[]
  readonly updated: string[]
}

export interface Connected extends Heard {
  readonly client: Client
}

/** How the SDK's client finds out what a server speaks. */
export type Mode = 'auto' | 'legacy'

/**
 * The SDK's client, which can do all that a server may ask it for.
 *
 * @param hasRoots whether it says so of roots, of which a gateway tells no process
 */
export async function connected(transport: Transport, mode: Mode, hasRoots = true): Promise<Connected> {
  const capabilities = {
    elicitation: { form: { applyDefaults: true }, url: {} },
    sampling: {},
    ...(hasRoots && { roots: { listChanged: true } }),
  }
  const client = new Client({ name: 'sdk', version: '1' }, { capabilities, versionNegotiation: { mode } })
  const heard: Heard = { logged: [], updated: [] }
  client.setRequestHandler('elicitation/create', ({ params }) =>
    params.mode === 'url' ? answers.url : answers.form,
  )
  client.setRequestHandler('sampling/createMessage', () => answers.words)
  if (hasRoots) client.setRequestHandler('roots/list', () => ({ roots: answers.roots }))
  client.setNotificationHandler('notifications/message', ({ params }) => void heard.logged.push(params.data))
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    heard.updated.push(params.uri)
  })
  onTestFinished(() => client.close())
  await client.connect(transport)
  return { client, ...heard }
}

/** Over HTTP, with a key where there is one. */
export function httpTransport(url: string, key?: string): StreamableHTTPClientTransport {
  const headers = key === undefined ? undefined : { authorization: `Bearer ${key}` }
  return new StreamableHTTPClientTransport(new URL(url), headers && { requestInit: { headers } })
}

/** Over the streams of a process that the client starts itself. */
export function stdioTransport(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
): StdioClientTransport {
  return new StdioClientTransport({ command, args: [...args], env, stderr: 'ignore' })
}

export interface OwnConnected extends Heard {
  readonly client: OwnClient
}

/** The package's client, likewise. */
export function ownClient(url: string, auth: string): OwnConnected {
  const heard: Heard = { logged: [], updated: [] }
  const client = new OwnClient(url, {
    auth,
    handlers: {
      elicit: () => answers.form,
      elicitUrl: () => answers.url,
      sample: () => answers.words,
      roots: answers.roots,
      log: ({ data }) => void heard.logged.push(data),
    },
  })
  onTestFinished(() => client.close())
  return { client, ...heard }
}
