import type { EventSink } from '../core/events.ts'

/**
 * Publishes events on channels of `node:diagnostics_channel`, one for each type: `mcp-bearer:accepted`,
 * `mcp-bearer:refused`, `mcp-bearer:jwks.fetched`, … A channel nobody listens to costs next to nothing.
 *
 * @returns what `onEvent` of a `VerifierEnvironment` takes
 * @throws TypeError on a runtime without `node:diagnostics_channel`
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * import { diagnosticsEvents, jwtVerifier } from 'mcp-bearer/verify'
 *
 * subscribe('mcp-bearer:refused', (event) => console.log(event))
 * jwtVerifier(
 *   { jwksUri: 'https://idp.example.com/jwks', issuer: 'https://idp.example.com', audience: 'me' },
 *   { onEvent: diagnosticsEvents() },
 * )
 * ```
 */
export function diagnosticsEvents(): EventSink {
  const channels = globalThis.process?.getBuiltinModule?.('node:diagnostics_channel')
  if (channels === undefined) {
    throw new TypeError('diagnosticsEvents needs a runtime with node:diagnostics_channel')
  }
  const known = new Map<string, ReturnType<typeof channels.channel>>()
  return (event) => {
    const channel = known.get(event.type) ?? channels.channel(`mcp-bearer:${event.type}`)
    known.set(event.type, channel)
    if (channel.hasSubscribers) channel.publish(event)
  }
}
