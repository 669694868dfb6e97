import { systemClock } from '../../core/index.ts'
import type { CheckLine, CheckOutcome } from '../../inspector/token/checks.ts'
import { readToken, secretsIn, type TokenReading } from '../../inspector/token/reading.ts'
import { withoutCredentials } from '../../inspector/token/token-facts.ts'
import { type TokenKind, tokenKind } from '../../inspector/token/token-kind.ts'
import type { JsonObject } from '../../verify/json.ts'
import { authExitCodes, exitCode } from '../exit-codes.ts'
import { localCommand } from '../local-command.ts'
import { askOptions, askOptionsHelp, askServer, isServerAsked, type ServerAnswer } from './ask-server.ts'
import { changeNotes, tokenInput } from './credential-input.ts'
import { readingLines } from './reading-lines.ts'
import { refusalLines, verdictExits, verdictExitsHelp, verdictJson } from './verdict.ts'

/** `mcp-bearer token explain`: what a text says of itself, and what a server makes of it. */
export const explain = localCommand({
  summary: 'say what a token is and what is in it, and which check of a server refuses it',
  usage: 'token explain WHERE [options]',
  about: `Says what a text is - a JWT, an API key of this package or of another service, an opaque token,
a placeholder somebody forgot to replace - and what is in it. Without options nothing is verified
and nothing is sent anywhere. With those of a server it also goes through the checks of that
server, in their order, and says which one refuses the token. A look at an API key is no use of
it. The token is not printed. WHERE is env:NAME, file:PATH, or - for standard input.

  mcp-bearer token explain env:TOKEN
  pbpaste | mcp-bearer token explain -
  mcp-bearer token explain env:TOKEN --issuer https://id.example.com --audience my-server
  mcp-bearer token explain env:API_KEY --db keys.db
  mcp-bearer token explain env:TOKEN --config gateway.yaml

With the options of a server:
${verdictExitsHelp}`,
  optionsHelp: askOptionsHelp,
  options: askOptions,
  words: [1, 1],
  async run({ values, words: [where = ''], terminal, signal }) {
    const isAsked = isServerAsked(values)
    const given = await tokenInput(where, terminal, signal)
    const { token } = given
    const reading = readToken(token, systemClock())
    const isThere = reading.kind !== 'empty'
    const answer = isAsked && isThere ? await askServer(token, values, { terminal, signal }) : undefined
    return {
      json: json(token, reading, answer),
      lines: [...readingLines(reading, answer !== undefined), ...answerLines(answer, reading)],
      notes: changeNotes(given),
      exit: answer ? verdictExits[answer.told.verdict] : isThere ? exitCode.ok : authExitCodes.unauthorized,
    }
  },
})

const marks: Readonly<Record<CheckOutcome, string>> = {
  passed: '✓',
  refused: '✗',
  unknown: '?',
  not_asked: '-',
  not_reached: '-',
}

/** How far it comes at the server, and why no further. */
function answerLines(answer: ServerAnswer | undefined, reading: TokenReading): string[] {
  if (!answer) return []
  const { told, advice, checks, facts, notes } = answer
  const width = Math.max(...checks.map(({ check }) => check.length))
  return [
    ...(facts ? ['', 'in the database', ...facts] : []),
    '',
    'checks of the server, in their order',
    ...checks.map(
      (line) => `  ${marks[line.outcome]} ${line.check.padEnd(width)}  ${wordsOf(line, answer, reading)}`,
    ),
    '',
    ...(told.verdict === 'accepted' ? ['Good.', ...notes] : refusalLines(told, advice)),
  ]
}

/** The check that refuses says what it found, most of all when: everybody asks that first. */
function wordsOf(
  { check, outcome, words }: CheckLine,
  { told }: ServerAnswer,
  reading: TokenReading,
): string {
  if (outcome !== 'refused') return words
  const expiry = reading.times?.exp
  if (check === 'time' && told.refusal?.reason === 'expired' && expiry) return `expired ${expiry.words}`
  return told.message
}

/** For a program: what the text says, moments in seconds from now, and the verdict. */
function json(token: string, reading: TokenReading, answer: ServerAnswer | undefined): JsonObject {
  const told: TokenKind = tokenKind(token)
  return withoutCredentials(
    {
      verified: answer?.told.verdict === 'accepted',
      ...told,
      ...(told.kind === 'jwt' && { times: timesJson(reading), warnings: reading.warnings }),
      characters: reading.characters,
      ...(answer && {
        server: {
          ...verdictJson(answer.told),
          ...(answer.apiKey && { apiKey: answer.apiKey }),
          checks: answer.checks.map(({ check, outcome }) => ({ check, outcome })),
          ...(answer.notes.length > 0 && { notes: answer.notes }),
        },
      }),
    },
    secretsIn(token, told),
  )
}

function timesJson({ times = {} }: TokenReading): JsonObject {
  const now = systemClock()
  return Object.fromEntries(
    Object.entries(times).map(([name, { date, words }]) => {
      const secondsFromNow = Math.round((date.getTime() - now) / 1000)
      return [name, { at: date.toISOString(), secondsFromNow, distance: words }]
    }),
  )
}
