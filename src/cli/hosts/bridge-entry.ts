import { UsageError } from '../command.ts'
import { variablesOf } from './headers.ts'
import type { HostRequest } from './host.ts'

/** A server that the host starts as a command. */
export interface BridgeEntry {
  readonly command: string
  readonly args: readonly string[]
}

/**
 * `mcp-bearer connect` as an entry. No argument has a space: some hosts cut there.
 * @param fillsArguments whether the host fills variables into arguments, where everybody on the machine sees them
 * @throws UsageError when a header would be seen, or cut
 */
export function bridgeEntry(request: HostRequest, fillsArguments: boolean): BridgeEntry {
  const { url, auth, headers } = request
  const isFilled = variablesOf({ ...request, auth: undefined }).length > 0
  if (isFilled && fillsArguments) {
    throw new UsageError(
      'this host would fill the variable of --header into an argument, which other users of the machine can see; use --auth file:PATH alone, or describe the server in a file and run connect with --config',
    )
  }
  const words = headers.map(([name, value]) => `${name}:${value}`)
  if (words.some((word) => /\s/.test(word))) {
    throw new UsageError('a header with a space cannot be an argument of a host; some cut it there')
  }
  return {
    command: 'npx',
    args: [
      ...['-y', 'mcp-bearer', 'connect', url],
      ...(auth === undefined
        ? []
        : ['--auth', auth.kind === 'env' ? `env:${auth.name}` : `file:${auth.path}`]),
      ...words.flatMap((word) => ['--header', word]),
    ],
  }
}
