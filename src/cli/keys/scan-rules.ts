import { scanRules as rulesOf } from '../../apikeys/scan-rules.ts'
import { keysCommand } from './keys-command.ts'
import { oneOf } from './words.ts'

const formats = ['gitleaks', 'trufflehog', 'github'] as const

/** `mcp-bearer keys scan-rules`: how secret scanners find keys of this project. */
export const scanRules = keysCommand({
  summary: 'print rules for secret scanners',
  usage: 'scan-rules [--prefix WORD] [--format gitleaks|trufflehog|github]',
  about: `Prints what a secret scanner needs to find the keys of a project. A find may be made up:
"check" knows by its checksum.

  mcp-bearer keys scan-rules --prefix acme --format gitleaks >> .gitleaks.toml`,
  optionsHelp: `  --prefix WORD      what the keys begin with; otherwise mcpk
  --format NAME      gitleaks (otherwise), trufflehog, or github for the form of a custom pattern`,
  options: { prefix: { type: 'string' }, format: { type: 'string' } },
  words: [0, 0],
  async run({ values: { prefix = 'mcpk', format = 'gitleaks' } }) {
    const rules = rulesOf(prefix)
    return { json: { prefix, ...rules }, lines: [rules[oneOf(format, '--format', formats)].trimEnd()] }
  },
})
