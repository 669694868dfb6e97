import { CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import { randomText } from '../guesses.ts'
import { initialize } from '../messages.ts'
import { sessionOf } from '../survey.ts'

/** Requirement D-60: ids of sessions are made by the server, and are random (MCP 2025-11-25, "Session Management"). */
export const sessionIds: Check = {
  id: 'session-ids',
  title: 'How sessions are named',
  needs: ['protected', 'admitted'],
  async run(bench) {
    const { session, own } = await bench.survey()
    if (session === undefined || !own) throw new CannotTell('The server opens no sessions.')
    const chosen = `probe-${randomText(26)}`
    bench.hide(chosen)
    const answer = await bench.ask({
      message: initialize(),
      authorization: `Bearer ${bench.token}`,
      headers: [['Mcp-Session-Id', chosen]],
    })
    const second = sessionOf(answer)
    if (second === undefined) return
    bench.hide(second)
    if (second === chosen)
      return bench.report('session-chosen', 'An id that was sent with initialize was taken.', [answer])
    const differing = differingCharacters(session, second)
    if (differing < fewest)
      bench.report(
        'session-guessable',
        differing === 0
          ? 'Two sessions have the same id.'
          : `The ids of two sessions have ${session.length} characters, and differ in ${differing}.`,
        [own.legacy, answer],
      )
  },
}

/** Of two random UUIDs some 28 of 32 characters differ; of 16 random bytes in any writing more than this. */
const fewest = 8

function differingCharacters(one: string, other: string): number {
  const length = Math.max(one.length, other.length)
  return Array.from({ length }, (_none, at) => at).filter((at) => one[at] !== other[at]).length
}
