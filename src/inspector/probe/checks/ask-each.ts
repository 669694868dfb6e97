import type { Answer } from '../answer.ts'
import { type Ask, type Bench, CannotTell } from '../bench.ts'
import type { FindingCode } from '../finding-texts.ts'

/** A named variation of a request, for example `/mcp/`. */
export type Variation = readonly [name: string, ask: Ask]

/** What came back for it. */
export type Tried = readonly [name: string, answer: Answer]

/** The answers to a list of requests. */
export interface Trial {
  readonly tried: readonly Tried[]
  /** Throws when not all of them could be sent, or some were not answered: after what was found is reported. */
  finish(): void
}

/** Sends one after the other, up to the one that cannot be sent any more. */
export async function askEach(bench: Bench, variations: readonly Variation[]): Promise<Trial> {
  const tried: Tried[] = []
  let stopped: CannotTell | undefined
  for (const [name, ask] of variations) {
    try {
      tried.push([name, await bench.ask(ask)])
    } catch (error) {
      if (!(error instanceof CannotTell)) throw error
      stopped = error
      break
    }
  }
  return {
    tried,
    finish() {
      if (stopped) throw stopped
      if (tried.some(([, { status }]) => status === 503))
        throw new CannotTell(
          'The server answered with 503: something behind it is away. Ask again when it is back.',
        )
    },
  }
}

/** One finding for all of a kind. */
export function reportAll(bench: Bench, code: FindingCode, what: string, found: readonly Tried[]): void {
  if (found.length === 0) return
  const names = found.map(([name]) => name).join('; ')
  bench.report(
    code,
    `${what}: ${names}.`,
    found.map(([, answer]) => answer),
  )
}

/** A server that fails where it should refuse. 501 and 503 are honest: it has no such thing, or something is away. */
export function reportBroken(bench: Bench, tried: readonly Tried[]): void {
  const broken = tried.filter(
    ([, { verdict, status }]) => verdict === 'broken' && status !== 501 && status !== 503,
  )
  reportAll(bench, 'server-error', 'Answered with a server error', broken)
}
