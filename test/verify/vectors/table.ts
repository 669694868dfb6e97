import { themes, vectors, verifierSetups } from './index.ts'
import type { Vector } from './vector.ts'

/** The page of the docs that lists all vectors. Nothing of a token is in it. */
export function vectorTable(): string {
  const passing = vectors.filter(({ expected }) => expected === 'accepted').length
  return `# Verification vectors

${vectors.length} tokens, each with the verifier it is shown to and what becomes of it: ${vectors.length - passing} are refused, each for the reason that stands here, and ${passing} pass. What is refused differs from a good token in one thing, and is rightly signed unless the signature is what it is about.

The tests make every token anew, with fresh keys, at a moment that does not pass. This page is written by a test from the same data: \`npx vitest run --project integration test/verify/vectors.test.ts -u\`. To run the tokens elsewhere, \`asJson()\` of \`test/verify/vectors/index.ts\` gives those that need no function and no key set, with everything that is needed.

The reasons are explained in \`RefusalReason\`. They are for the operator; on the wire every refusal is the same \`invalid_token\`.

${Object.entries(themes)
  .map(([theme, list]) => `## ${theme}\n\n${tokenTable(list)}`)
  .join('\n\n')}

## The verifiers

All have the issuer \`https://as.example.com\` and the audience \`https://mcp.example.com/mcp\` unless it says otherwise.

${rows(
  ['verifier', 'set up with'],
  Object.entries(verifierSetups).map(([name, { about }]) => [`\`${name}\``, text(about)]),
)}
`
}

function tokenTable(list: readonly Vector[]): string {
  return rows(
    ['id', 'token', 'verifier', 'outcome'],
    list.map(({ ids, name, verifier, expected }) => [
      ids.join(' '),
      text(name),
      `\`${verifier}\``,
      `\`${expected}\``,
    ]),
  )
}

function rows(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...body.map(line)].join('\n')
}

/** Plain text in Markdown; URLs are not to become links. */
function text(plain: string): string {
  return plain.replace(/[\\`*_[\]<>|]/g, '\\$&').replaceAll('://', '\\://')
}
