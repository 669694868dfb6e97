/**
 * Holds the budgets of the sources: sizes, flat options, no `any`, no suppressions, and the few files that may read
 * the environment, the clock or the terminal.
 *
 * Why it exists: each of these limits is cheap to keep and dear to win back. Long functions and deep nesting are
 * where checks get lost; a suppression or an `any` switches off the tool that would have told; a clock or an
 * environment read in passing cannot be frozen in a test. See docs/decisions/0001-one-package-rooms-and-arrows.md.
 *
 * usage: node tools/check-budgets.mjs [--root <dir>] [--json]
 */
import { checkDocstrings } from './budgets/docstrings.mjs'
import { checkHonesty } from './budgets/honesty.mjs'
import { checkOptionTypes } from './budgets/option-types.mjs'
import { checkReaching } from './budgets/reaching.mjs'
import { checkSizes } from './budgets/sizes.mjs'
import { finding, parseFindings, readPackage, readSources, runCheck } from './source-tree.mjs'

/** The highest number that is still good. Lines are lines of code: blank and comment lines do not count. */
const limits = { fileLines: 300, adapterLines: 60, functionLines: 60, nesting: 3, options: 10 }

const clock = {
  only: ['src/core/clock.ts'],
  instead: 'take a Clock as an argument, systemClock by default',
}
/** What reaches outside, and where that may be. A path that ends in `/` is a folder. */
const reaching = {
  console: { only: ['src/cli/'], instead: 'take a Logger, or throw' },
  'process.env': {
    only: ['src/cli/', 'src/client/sources/env.ts', 'src/client/config/interpolate.ts'],
    instead: 'take the value as an option',
  },
  'process.exit': { only: ['src/cli/main.ts'], instead: 'throw, or give back an exit code' },
  'Date.now': clock,
  'new Date()': clock,
  'Date()': clock,
  'performance.now': clock,
}

runCheck('budgets', (root) => {
  const sources = readSources(root, 'src')
  const tests = readSources(root, 'test')
  const findings = [...parseFindings(sources), ...parseFindings(tests)]
  const report = (source, node, rule, message) => findings.push(finding(source, node.start, rule, message))
  for (const source of [...sources.values(), ...tests.values()]) {
    checkHonesty(source, report)
    if (source.isTest || !sources.has(source.path)) continue
    checkSizes(source, limits, report)
    checkReaching(source, reaching, report)
    checkOptionTypes(sources, source, limits.options, report)
  }
  findings.push(...checkDocstrings(readPackage(root), sources))
  return { findings, checked: `${sources.size + tests.size} files` }
})
