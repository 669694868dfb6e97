import { checkPrefix, keyExpression } from './format.ts'

/** What tells a secret scanner how keys of a project look. */
export interface ScanRules {
  /** The regular expression itself, without look-around: RE2, Hyperscan, Go, Rust and PCRE take it. */
  readonly expression: string
  /** A rule for `.gitleaks.toml`. */
  readonly gitleaks: string
  /** A custom detector for the configuration of TruffleHog, in YAML. */
  readonly trufflehog: string
  /** What to write into the form of a custom pattern of GitHub secret scanning, line by line. */
  readonly github: string
}

/**
 * Writes {@link ScanRules} for the keys of one prefix, of both environments. A match may still be made up: its checksum
 * tells.
 *
 * @throws TypeError when the prefix is none
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 * import { scanRules } from 'mcp-bearer/keys'
 *
 * await writeFile('.gitleaks.toml', scanRules('mcpk').gitleaks)
 * ```
 */
export function scanRules(prefix: string): ScanRules {
  const secret = keyExpression(checkPrefix('scanRules', prefix))
  const expression = `\\b${secret}\\b`
  const name = `${prefix}-api-key`
  return {
    expression,
    gitleaks: [
      '[[rules]]',
      `id = "${name}"`,
      `description = "API key that begins with ${prefix}_live_ or ${prefix}_test_"`,
      `regex = '''${expression}'''`,
      `keywords = ["${prefix}_live_", "${prefix}_test_"]`,
      '',
    ].join('\n'),
    trufflehog: [
      'detectors:',
      `  - name: ${name}`,
      '    keywords:',
      `      - ${prefix}_live_`,
      `      - ${prefix}_test_`,
      '    regex:',
      `      key: '${expression}'`,
      '',
    ].join('\n'),
    github: [
      `Pattern name: ${name}`,
      `Secret format: ${secret}`,
      'Before secret: \\A|[^0-9A-Za-z_]',
      'After secret: \\z|[^0-9A-Za-z_]',
      `Test string: ${prefix}_test_${'0'.repeat(12)}_${'0'.repeat(38)}`,
      '',
    ].join('\n'),
  }
}
