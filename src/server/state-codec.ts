import type { RequestStateCodec } from '@modelcontextprotocol/server'
import { principalKey } from './admission.ts'
import type { RoundState } from './rounds.ts'
import type { Sdk, Seat } from './sdk-server.ts'
import type { Served } from './served.ts'

/** Seconds for which a client may take its time to answer. */
const ttlSeconds = 3600

/**
 * Signs what a client carries from round to round, for one principal and one method. What was changed, and anybody
 * else's, is refused before a handler runs (MCP "Multi Round-Trip Requests", Server Requirements). Which call it belongs
 * to is part of what is signed.
 */
export function stateCodec(sdk: Sdk, { stateKey }: Served, seat: Seat): RequestStateCodec<RoundState> {
  return sdk.createRequestStateCodec<RoundState>({
    key: stateKey,
    ttlSeconds,
    bind: (ctx) => JSON.stringify([principalKey(seat.exchangeOf(ctx)), ctx.mcpReq.method]),
  })
}
