/**
 * Makes the programs of the inspector page: bundles `src/inspector/page/main.tsx`, `keys-main.tsx` and their styles into
 * texts, and writes them as a module that the server loads when somebody opens the page.
 *
 * Why it exists: the package is built without a bundler, but a page that loads two hundred modules is slow, and a server
 * in one file (a worker) has no folder to serve them from. The result is not in version control: it is made anew before
 * every build, check and test. Nothing but what is in `src` and the libraries named here may end up in it.
 *
 * usage: node tools/build-page.mjs [--sizes]
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'src/inspector/page')
const target = join(root, 'src/server/pages/built.ts')
/** What the page is made of beside our own files. */
const libraries = ['preact', '@preact/signals', '@preact/signals-core']
const licence = '/*! With preact and @preact/signals, (c) Jason Miller and others, MIT licence. */'

/** Writes the module, when it is not there already as it should be. @returns the files of the page, by their names */
export async function buildPage() {
  const files = { ...(await bundle()), 'style.css': styles() }
  const text = [
    '// Made by tools/build-page.mjs from src/inspector/page: change that, and never this.',
    `export const pageFiles: Readonly<Record<string, string>> = ${JSON.stringify(files)}`,
    '',
  ].join('\n')
  if (text !== read(target)) {
    // Several may build at once, and nobody must see half of it.
    const fresh = `${target}.${process.pid}`
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(fresh, text)
    renameSync(fresh, target)
  }
  return files
}

/** Both programs. What both need is in a file of its own, and so is what is loaded only when somebody asks for it. */
async function bundle() {
  const build = await rolldown({
    input: { app: join(page, 'main.tsx'), keys: join(page, 'keys-main.tsx') },
    platform: 'browser',
    tsconfig: join(root, 'tsconfig.page.json'),
    transform: { target: 'es2022' },
    onLog(_level, log, report) {
      // What cannot be found would be left for the browser to find, which has no packages.
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message)
      report('warn', log)
    },
  })
  try {
    const { output } = await build.generate({
      format: 'es',
      minify: true,
      comments: false,
      chunkFileNames: '[name].js',
    })
    const names = output.map(({ fileName }) => fileName)
    for (const { fileName, imports, moduleIds } of output) {
      const foreign = moduleIds.filter((id) => id.includes('node_modules') && !isLibrary(id))
      foreign.push(...imports.filter((name) => !names.includes(name)))
      if (foreign.length > 0) throw new Error(`${fileName} must not hold or need ${foreign.join(', ')}`)
    }
    return Object.fromEntries(output.map(({ fileName, code }) => [fileName, `${licence}\n${code}`]))
  } finally {
    await build.close()
  }
}

function isLibrary(id) {
  return libraries.some((name) => id.includes(`/node_modules/${name}/`))
}

/** The styles in the order of their names, without comments and without blanks where none is needed. */
function styles() {
  const folder = join(page, 'style')
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.css'))
    .sort()
  return names
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1')
    .replaceAll(';}', '}')
    .trim()
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const texts = await buildPage()
  if (process.argv.includes('--sizes')) {
    for (const [name, text] of Object.entries(texts)) {
      console.log(`${name}: ${text.length} bytes, ${gzipSync(text, { level: 9 }).length} compressed`)
    }
  }
}
