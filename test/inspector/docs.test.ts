import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { severities } from '../../src/inspector/probe/finding.ts'
import { findingTexts } from '../../src/inspector/probe/finding-texts.ts'

const text = readFileSync(fileURLToPath(new URL('../../docs/inspector.md', import.meta.url)), 'utf8')

/** The rows of the table of findings, the worst first. */
const rows = Object.entries(findingTexts)
  .sort(([, one], [, other]) => severities.indexOf(one.severity) - severities.indexOf(other.severity))
  .map(
    ([code, { severity, title, citation }]) =>
      `| \`${code}\` | ${severity} | ${title} | [${citation.name.replaceAll('|', '\\|')}](${citation.url}) |`,
  )

it('docs/inspector.md tells of every finding what the probe tells', () => {
  const table = text
    .split('\n')
    .filter((line) => /^\| `[a-z0-9-]+` \| (?:critical|serious|minor|note) \|/.test(line))
  expect(table).toEqual(rows)
})
