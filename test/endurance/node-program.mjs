// One node: an MCP server that takes API keys and JWTs. Argument, as JSON:
//   db         the database
//   listens    whether it may be told of changes; else it has to look
//   clockOff   milliseconds by which its clock is wrong
//   publicKey  of the issuer of the JWTs, as a JWK
//   issuer     its name, and that of the audience
// Writes its URL. Ends with its standard input.
const { db, listens, clockOff, publicKey, issuer } = JSON.parse(process.argv[2])

// Before anything can ask what time it is.
const rightTime = Date.now
Date.now = () => rightTime() + clockOff
const RightDate = Date
globalThis.Date = class extends RightDate {
  constructor(...given) {
    if (given.length === 0) super(rightTime() + clockOff)
    else super(...given)
  }
}

const { postgresKeyStore } = await import('../../dist/apikeys/index.js')
const { MCPServer } = await import('../../dist/server/index.js')
const { anyOf, ApiKeyAuthProvider, jwtVerifier, revocable, storedRevocations } = await import(
  '../../dist/verify/index.js'
)

const opened = await postgresKeyStore(db)
const store = listens ? opened : { ...opened, listen: undefined }
const quiet = { logger: () => {} }
const keys = new ApiKeyAuthProvider({ store }, quiet)
const jwts = jwtVerifier({ publicKey, issuer, audience: issuer, algorithm: 'ES256' }, quiet)
const server = new MCPServer({
  name: 'node',
  auth: anyOf([keys, revocable(jwts, await storedRevocations(store))]),
  // The load is one address, and shows keys that are over again and again.
  limits: { shared: store, failuresPerMinute: 1_000_000, maxStreams: 1000 },
  logger: () => {},
})
server.tool('ping', {}, () => 'pong')
const { url } = await server.listen({ port: 0 })
process.stdout.write(`${url}\n`)
process.stdin.on('end', () => process.exit(0)).resume()
