import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { programFolders } from './programs.ts'
import { openShell, type Shell } from './shell.ts'
import { type Block, mismatch, transcriptsOf, typed } from './transcript.ts'

const text = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8')

describe.each(['gateway.md', 'inspector.md'])(
  'FL-108 every transcript of docs/%s happens as it is written',
  (name) => {
    for (const { title, blocks } of transcriptsOf(text(name))) {
      test(title, { timeout: 180_000 }, async () => {
        await using shell = await openShell(programFolders())
        let printed = ''
        for (const block of blocks) printed += await replay(shell, block, printed)
      })
    }
  },
)

/** @returns what was printed */
async function replay(shell: Shell, block: Block, before: string): Promise<string> {
  let all = before
  for (const { command, expected } of block.steps) {
    const isLike = (printed: string) => mismatch(expected, printed.split('\n'))
    if (block.isStanding) {
      all += await shell.start(command, (printed) => isLike(printed) === undefined)
      continue
    }
    const printed = await shell.run(typed(command, all))
    expect(isLike(printed), `line ${block.line}: ${command}\n${printed}`).toBeUndefined()
    all += printed
  }
  return all
}
