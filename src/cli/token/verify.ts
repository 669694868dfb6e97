import { systemClock } from '../../core/index.ts'
import { claimRows, withoutCredentials } from '../../inspector/token/token-facts.ts'
import { explainToken } from '../../verify/index.ts'
import { UsageError } from '../command.ts'
import { authExitCodes } from '../exit-codes.ts'
import { localCommand } from '../local-command.ts'
import { changeNotes, tokenInput } from './credential-input.ts'
import { rowLines } from './reading-lines.ts'
import { namesKeyPlace, serverOptions, serverOptionsHelp, verifierOptions } from './server-options.ts'
import { kindAdvice, notesOf, refusalLines, verdictExits, verdictExitsHelp, verdictJson } from './verdict.ts'

/** `mcp-bearer token verify`: what a server with these settings would make of a token. */
export const verify = localCommand({
  summary: 'ask whether a token is good, and if not, exactly why',
  usage: 'token verify WHERE (--public-key FILE | --jwks URL | --issuer URL) [options]',
  about: `Judges a JWT as a server with these settings would, and says which check refuses it, in words
for the operator: the caller of a server is never told. WHERE is env:NAME, file:PATH, or -
for standard input; the token is not printed.

  mcp-bearer token verify env:TOKEN --issuer https://id.example.com --audience my-server
  mcp-bearer token verify env:TOKEN --jwks http://127.0.0.1:9000/.well-known/jwks.json
  mcp-bearer token verify - --public-key key.pub.pem --scope notes:write < token.txt

${verdictExitsHelp}`,
  optionsHelp: serverOptionsHelp,
  options: serverOptions,
  words: [1, 1],
  async run({ values, words: [where = ''], terminal, signal }) {
    if (!namesKeyPlace(values)) {
      throw new UsageError('whose key? Give --public-key FILE, --jwks URL, or --issuer URL to look it up')
    }
    const given = await tokenInput(where, terminal, signal)
    const { token } = given
    if (token === '') return notThere
    const options = await verifierOptions(values, token)
    const allowPrivateNetwork = values['allow-private-network'] === true
    const told = await explainToken(token, options, { allowPrivateNetwork })
    const { verdict, header, claims } = told
    const notes = notesOf(told, options, values.algorithm === undefined)
    const isGood = verdict === 'accepted'
    return {
      json: withoutCredentials({
        ...verdictJson(told),
        header,
        claims,
        ...(isGood && notes.length > 0 && { notes }),
      }),
      lines: isGood
        ? [
            'Good.',
            '',
            ...rowLines(claimRows(claims ?? {}, systemClock())),
            ...(notes.length > 0 ? ['', ...notes] : []),
          ]
        : refusalLines(told, kindAdvice(token)),
      notes: changeNotes(given),
      exit: verdictExits[verdict],
    }
  },
})

const notThere = {
  json: { ok: false, verdict: 'refused', message: 'There is no token: it is empty.' },
  lines: ['There is no token: it is empty.'],
  exit: authExitCodes.unauthorized,
}
