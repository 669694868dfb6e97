// The client under test: one run of it plays one scenario of the official suite, named in the environment. Bundled into
// one file by `client-leg.mjs`, for the suite starts all scenarios at once.
import {
  Client,
  clientCredentials,
  enterpriseManaged,
  oauth,
  resourceMetadata,
  workloadIdentity,
} from '../../dist/client/index.js'
import { person } from './person.mjs'

const url = process.argv.at(-1)
const scenario = process.env.MCP_CONFORMANCE_SCENARIO
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}')

const plays = {
  initialize: listTools,
  'request-metadata': listTools,
  'json-schema-ref-no-deref': listTools,
  tools_call: () => callTools([['add_numbers', { a: 5, b: 3 }]]),
  'http-standard-headers': everything,
  'http-custom-headers': () => callTools(context.toolCalls.map(({ name, arguments: args }) => [name, args])),
  'http-invalid-tool-headers': () => callTools([['valid_tool', { region: 'us-west1' }]]),
  'json-schema-2020-12-preservation': echoSchema,
  'sep-2322-client-request-state': inputRounds,
  'elicitation-sep1034-client-defaults': () =>
    callTools([['test_client_elicitation_defaults']], {
      handlers: { elicit: () => ({ action: 'accept', content: {} }) },
    }),
  'sse-retry': () => callTools([['test_reconnection']]),
  'auth/pre-registration': () =>
    signedIn({ client: { client_id: context.client_id, client_secret: context.client_secret } }),
  'auth/dpop': () => signedIn({ dpop: true }),
  'auth/dpop-nonce': () => signedIn({ dpop: true }),
  'auth/client-credentials-basic': () =>
    machine((issuer) =>
      clientCredentials({ issuer, client: { id: context.client_id, secret: context.client_secret } }),
    ),
  'auth/client-credentials-jwt': () =>
    machine((issuer) =>
      clientCredentials({
        issuer,
        client: {
          id: context.client_id,
          privateKey: context.private_key_pem,
          algorithm: context.signing_algorithm,
        },
      }),
    ),
  'auth/wif-jwt-bearer': () =>
    machine((issuer) =>
      workloadIdentity({ issuer, client: { id: context.client_id }, assertion: () => context.valid_jwt }),
    ),
  'auth/enterprise-managed-authorization': () =>
    machine((issuer) =>
      enterpriseManaged({
        identityProvider: {
          issuer: context.idp_issuer,
          client: { id: context.idp_client_id },
          subjectToken: () => context.idp_id_token,
        },
        issuer,
        client: { id: context.client_id, secret: context.client_secret },
      }),
    ),
}

const play = plays[scenario] ?? (scenario.startsWith('auth/') ? () => signedIn() : undefined)
if (play === undefined) throw new Error(`no play for the scenario ${scenario}`)
await play()

/** Node 20 has no `await using`. */
async function withClient(options, work) {
  const client = new Client(url, options)
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

function listTools(options = {}) {
  return withClient(options, (client) => client.listTools())
}

function callTools(calls, options = {}) {
  return withClient(options, async (client) => {
    await client.listTools()
    for (const [name, args] of calls) await client.callTool(name, args, { raw: true })
  })
}

/** One call of each kind the headers of a request tell apart. */
function everything() {
  return withClient({}, async (client) => {
    const [tool] = await client.listTools()
    await client.callTool(tool.name, {}, { raw: true })
    const [resource] = await client.listResources()
    if (resource !== undefined) await client.readResource(resource.uri)
    const [prompt] = await client.listPrompts()
    if (prompt !== undefined) await client.getPrompt(prompt.name)
  })
}

function echoSchema() {
  return withClient({}, async (client) => {
    const tools = await client.listTools()
    const focal = tools.find(({ name }) => name !== 'json_schema_echo')
    await client.callTool('json_schema_echo', { schema: focal.inputSchema }, { raw: true })
  })
}

function inputRounds() {
  const handlers = { elicit: () => ({ action: 'accept', content: { confirmed: true } }) }
  const names = ['echo_state', 'no_state', 'unrelated', 'no_result_type']
  const calls = names.map((name) => [`test_mrtr_${name}`])
  return callTools(calls, { handlers })
}

/** A person signs in; the client calls what there is. */
async function signedIn(options) {
  const { provider, callback } = person(options)
  await callTools([['test-tool', {}]], { auth: oauth(provider, { callback }) })
}

/** A program without a person. It takes the server's word for its issuer, as nobody has configured one. */
async function machine(sourceFor) {
  const { authorizationServers } = await resourceMetadata(url)
  await listTools({ auth: sourceFor(authorizationServers[0]) })
}
