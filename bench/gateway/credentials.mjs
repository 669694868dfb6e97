// Who may call: an API key in SQLite, made by the command that users make one with, and a JWT of an issuer with a JWKS.
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { audience, issuer, makeKey, makeTokenOfUsualSize } from '../verify/tokens.mjs'

/** The program, as it is built. */
export const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/**
 * @param folder for the key database
 * @returns `{ keys, jwt, close }`; each of the two has the `token` and the `words` that make `protect` take it
 */
export async function makeCredentials(folder) {
  const db = join(folder, 'keys.db')
  const words = ['keys', 'create', '--name', 'bench', '--owner', 'bench', '--db', db, '--quiet']
  const output = execFileSync(process.execPath, [cli, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  const key = makeKey('RS256')
  const keySet = await serveKeySet({ keys: [key.jwk] })
  return {
    keys: { token: output.trim(), words: ['--keys', db] },
    jwt: {
      token: makeTokenOfUsualSize(key),
      words: ['--jwks', keySet.url, '--issuer', issuer, '--audience', audience],
    },
    close: keySet.close,
  }
}

async function serveKeySet(keySet) {
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(keySet))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return { url: `http://127.0.0.1:${server.address().port}/jwks`, close: () => server.close() }
}
