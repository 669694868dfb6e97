import type { GatewayFile } from '../../gateway/file/gateway-document.ts'
import { GatewayFileError, readGatewayFile } from '../../gateway/file/gateway-file.ts'
import { tokenKind } from '../../inspector/token/token-kind.ts'
import { UsageError } from '../command.ts'
import { keysPlace } from '../gateway/keys.ts'
import { type Reader, settingsOf } from '../gateway/settings.ts'
import { jwtOptions } from '../gateway/verifiers.ts'
import { askKeys } from './ask-keys.ts'
import { askJwts, type ServerAnswer } from './ask-server.ts'

/**
 * Asks the verifiers that a gateway of this file has: of API keys for what looks like one, else of JWTs, as it does.
 * Other parts of the file are not looked at, so that their secrets need not be here.
 *
 * @throws UsageError when it has no verifier for such a token that can be asked from here
 */
export async function askGateway(token: string, path: string, reader: Reader): Promise<ServerAnswer> {
  const { auth: written } = await fileAt(path)
  // An authorization server would be sent the token; whoever explains one has not asked for that.
  const { introspect, ...given } = written ?? {}
  const file = Object.keys(given).length === 0 ? {} : { auth: given }
  const { auth = {} } = await settingsOf(file, { values: {}, url: undefined, command: undefined }, reader)
  const place = keysPlace({ ...auth, ...(introspect && { introspect }) })
  const scopes = auth.requiredScopes && { requiredScopes: auth.requiredScopes }
  const isKey = tokenKind(token).kind === 'api_key'
  const jwts = await jwtOptions({ ...auth, ...(introspect && { introspect }) })
  if (place && (isKey || !jwts)) return askKeys(token, { db: place.db, ...scopes }, reader.terminal)
  if (jwts) return askJwts(token, { ...jwts, ...scopes }, true, false)
  throw new UsageError(
    'this gateway asks an authorization server (auth.introspect), and nothing is sent there from here',
  )
}

async function fileAt(path: string): Promise<GatewayFile> {
  try {
    return await readGatewayFile(path)
  } catch (error) {
    // What is wrong with the file, the person can write better.
    throw error instanceof GatewayFileError ? new UsageError(error.message, { cause: error }) : error
  }
}
