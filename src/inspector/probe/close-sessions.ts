import type { Bench } from './bench.ts'
import { sessionOf } from './survey.ts'

/** Closes the sessions a probe has opened, with the token where there is one; whatever comes of it. */
export async function closeSessions(bench: Bench): Promise<void> {
  const { token } = bench
  const opened = new Set(bench.answers.flatMap((answer) => sessionOf(answer) ?? []))
  for (const session of [...opened].slice(0, 12)) {
    bench.hide(session)
    await bench.ask({
      method: 'DELETE',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      headers: [
        ['Mcp-Session-Id', session],
        ['MCP-Protocol-Version', '2025-11-25'],
      ],
    })
  }
}
