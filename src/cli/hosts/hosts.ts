import { codex } from './codex.ts'
import type { Host } from './host.ts'
import { claudeCode, claudeDesktop, cline, cursor, geminiCli, windsurf } from './json-hosts.ts'
import { vscode } from './vscode.ts'
import { zed } from './zed.ts'

/** Every host that is known, by the word of `--for`. */
export const hosts: ReadonlyMap<string, Host> = new Map([
  ['claude-code', claudeCode],
  ['claude-desktop', claudeDesktop],
  ['cursor', cursor],
  ['vscode', vscode],
  ['windsurf', windsurf],
  ['gemini-cli', geminiCli],
  ['codex', codex],
  ['zed', zed],
  ['cline', cline],
])
