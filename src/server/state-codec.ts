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
export function stateCodec(
  sdk: Sdk,
  { stateKey, identity }: Served,
  seat: Seat,
): RequestStateCodec<RoundState> {
  const codec = sdk.createRequestStateCodec<RoundState>({
    key: stateKey,
    ttlSeconds,
    // The name, as one key may be that of several servers.
    bind: (ctx) => JSON.stringify([identity.name, principalKey(seat.exchangeOf(ctx)), ctx.mcpReq.method]),
  })
  return {
    mint: codec.mint,
    async verify(state, ctx) {
      if (!endsInSignature.test(state)) throw new Error('malformed')
      return codec.verify(state, ctx)
    },
  }
}

/** 32 bytes in Base64 have one spelling (RFC 4648 section 3.5), and a state has no other either. */
const endsInSignature = /\.[\w-]{42}[AEIMQUYcgkosw048]$/
