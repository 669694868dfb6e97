// A server with everything the official conformance scenarios ask for, made of the built package.
//
//   node test/conformance/everything.mjs                     without protection
//   node test/conformance/everything.mjs --auth              every request needs the token of CONFORMANCE_TOKEN
//   node test/conformance/everything.mjs --public HOST:PORT  it is reached under this name, through a proxy
//   node test/conformance/everything.mjs --slow              everything takes the slow lane
//   node test/conformance/everything.mjs --stdio             over standard input and output, for one client
//
// Prints its URL. Started by another Node program, it also sends it `{ url }`, and answers the message `verified` with
// `{ verified }`: how often its verifier was asked until then.
import { timingSafeEqual } from 'node:crypto'
import { parseArgs } from 'node:util'
import { AccessToken, MCPServer } from 'mcp-bearer/server'
import { addAskingTools } from './asking-tools.mjs'
import { addPrompts, addResources } from './resources-and-prompts.mjs'
import { addTools } from './tools.mjs'

const { values } = parseArgs({
  options: {
    auth: { type: 'boolean' },
    public: { type: 'string' },
    slow: { type: 'boolean' },
    stdio: { type: 'boolean' },
  },
})
const scopes = ['conformance']
let verified = 0

const name = 'everything'
const about = { title: 'Everything', instructions: 'A server for the official conformance scenarios.' }
const auth = values.auth ? { auth: verifierOf(process.env.CONFORMANCE_TOKEN) } : {}
const site = values.public
  ? { allowedHosts: [values.public], allowedOrigins: [`http://${values.public}`] }
  : {}
if (values.slow) await takeSlowLane(site)
const server = new MCPServer({ name, version: '1.0.0', about, ...auth }, site)
const access = values.auth ? { scopes } : {}
addTools(server, access)
addAskingTools(server, access)
addResources(server, access)
addPrompts(server, access)

if (values.stdio) await server.stdio()
else await listen()

async function listen() {
  const { url } = await server.listen({ port: 0 })
  console.log(url)
  process.send?.({ url })
  process.on('message', () => process.send?.({ verified }))
  // Who started this is gone.
  process.on('disconnect', () => process.exit())
}

/** There is no public option for it; the built file is the one that `mcp-bearer/server` loads too. */
async function takeSlowLane(http) {
  const { slowOnly } = await import('../../dist/server/server-parts.js')
  slowOnly.add(http)
}

/** Knows one token. */
function verifierOf(expected) {
  if (!expected) throw new Error('--auth needs a token in CONFORMANCE_TOKEN')
  const secret = Buffer.from(expected)
  return {
    async verifyToken(token) {
      verified += 1
      const given = Buffer.from(token)
      const isKnown = given.length === secret.length && timingSafeEqual(given, secret)
      return isKnown ? new AccessToken({ token, clientId: 'conformance-suite', scopes }) : null
    },
  }
}
