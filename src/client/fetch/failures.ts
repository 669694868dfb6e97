import type { AuthError } from '../../core/index.ts'
import type { Call, Settings } from './attempt.ts'
import { exchangeOf, sentSecrets } from './exchange.ts'
import { redirectTarget, repeatsCredential } from './redirect.ts'
import { passOrRefuse, readAnswer } from './refusal.ts'
import { isWorthRepeating } from './retry.ts'
import { authError, type Server } from './server.ts'
import { unreachable } from './unreachable.ts'

/**
 * What becomes of an answer of 300 and above.
 * @returns it, if it is the last word and none about authentication; `undefined` when the request is to be sent again
 * @throws AuthError when it is the last word about the credential
 */
export async function settled(
  settings: Settings,
  call: Call,
  response: Response,
): Promise<Response | undefined> {
  const exchange = exchangeOf(settings, call)
  const answer = await readAnswer(response, exchange)
  if (!(await isWorthRepeating(settings, call, answer))) return passOrRefuse(answer, exchange)
  response.body?.cancel().catch(() => {})
  return undefined
}

/**
 * Where a redirect leads; `undefined` when it is none.
 * @throws AuthError, Error when it may not be followed; see {@link redirectTarget}
 */
export function nextHop(settings: Settings, call: Call, response: Response, at: URL): URL | undefined {
  const { server } = settings
  if (response.redirected) throw wanderingFetch(server)
  return redirectTarget(response, at, server, sentSecrets(settings, call))
}

/** What becomes of a request that got no answer. */
export function lost(settings: Settings, call: Call, error: unknown): TypeError {
  return unreachable(error, settings.server, sentSecrets(settings, call))
}

/**
 * MCP authorization "Token Requirements": no token in a URI, whoever made it: an SSE server names its own.
 * @throws Error when the URL of the request repeats what goes out with it
 */
export function checkUrl(settings: Settings, call: Call): void {
  const { server } = settings
  if (!repeatsCredential(call.url, server, sentSecrets(settings, call))) return
  throw new Error(`${server.label} is about to be asked at a URL that repeats the credential`)
}

/** Too late for this request, in time for the next one. */
function wanderingFetch(server: Server): AuthError {
  return authError(
    server,
    'origin_mismatch',
    `The fetch that is used for ${server.label} follows redirects, and takes the credential along. Give one that heeds redirect: 'manual'.`,
  )
}
