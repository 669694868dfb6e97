import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/** A program that runs one command. */
export interface CommandProgram {
  readonly file: string
  remove(): void
}

const source = (path: string) =>
  JSON.stringify(fileURLToPath(new URL(`../../src/cli/${path}`, import.meta.url)))

/** `mcp-bearer connect` as a program of its own, from the sources, so that no build is needed. */
export async function connectProgram(): Promise<CommandProgram> {
  const text = `
    import { connect } from ${source('commands/connect.ts')}
    import { terminal } from ${source('terminal.ts')}
    const exit = await connect.run(process.argv.slice(2), terminal())
    process.stdout.write('', () => process.exit(exit))
  `
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-connect-'))
  const bundle = await rolldown({
    input: 'program',
    platform: 'node',
    external: /^node:/,
    transform: { target: 'node20' },
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? id : undefined),
        load: (id) => (id === 'program' ? text : undefined),
      },
    ],
  })
  await bundle.write({ dir: folder, entryFileNames: 'connect.mjs', chunkFileNames: '[name]-[hash].mjs' })
  await bundle.close()
  return { file: join(folder, 'connect.mjs'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}
