import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { onTestFinished } from 'vitest'

const source = fileURLToPath(new URL('../../src/verify/index.ts', import.meta.url))

/**
 * One file of a program that imports `mcp-bearer/verify`, for a process of its own: from the sources, so that no build
 * is needed. Gone when the test is over.
 */
export async function bundledProgram(code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-program-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const bundle = await rolldown({
    input: 'program',
    platform: 'node',
    external: /^node:/,
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? id : id === 'mcp-bearer/verify' ? source : undefined),
        load: (id) => (id === 'program' ? code : undefined),
      },
    ],
  })
  const file = join(folder, 'program.mjs')
  await bundle.write({ file, format: 'esm' })
  await bundle.close()
  return file
}
