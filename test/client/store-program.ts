import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const source = fileURLToPath(new URL('../../src/client/stores/file-token-store.ts', import.meta.url))

/**
 * What a process of its own does to a store: from the sources, so that no build is needed. Its arguments are the file,
 * what to do, and a name.
 */
const program = `
  import { fileTokenStore } from ${JSON.stringify(source)}
  const [path, what, name] = process.argv.slice(2)
  const store = fileTokenStore(path, { logger() {} })
  const key = 'https://mcp.example.com/mcp'
  const tell = (word) => process.stdout.write(word + '\\n')
  const forEver = () => new Promise((resolve) => setInterval(resolve, 2 ** 30))
  const actions = {
    async save() {
      for (let n = 0; n < 5; n++) await store.save(name + '/' + n, { accessToken: 'token-' + name + '-' + n })
    },
    async count() {
      for (let n = 0; n < 5; n++) {
        await store.exclusive(key, async () => {
          const seen = Number((await store.load(key))?.accessToken ?? '0')
          await store.save(key, { accessToken: String(seen + 1) })
        })
      }
    },
    async hold() {
      await store.exclusive(key, async () => {
        tell('holds')
        await forEver()
      })
    },
    async write() {
      for (let n = 0; ; n++) {
        await store.save(name, { accessToken: 'x'.repeat(20_000) + n })
        if (n === 0) tell('writes')
      }
    },
  }
  await actions[what]()
`

/** A program that works on a store, as one file; `remove` takes it away. */
export async function storeProgram(): Promise<{ readonly file: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-program-'))
  const bundle = await rolldown({
    input: 'program',
    platform: 'node',
    external: /^node:/,
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? id : undefined),
        load: (id) => (id === 'program' ? program : undefined),
      },
    ],
  })
  const file = join(folder, 'program.mjs')
  await bundle.write({ file, format: 'esm' })
  await bundle.close()
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
