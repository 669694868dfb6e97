/**
 * Compiles every TypeScript sample of the README, the docs and the docstrings, so that none of them lies. A sample is a
 * whole module: it imports what it uses, by the package's public names.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'build', 'snippets')

/** Paths below a folder that end as told. */
function filesBelow(folder, ending) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((path) => join(folder, path))
    .filter((path) => path.endsWith(ending))
}

/** The samples of a text, each with the line it begins at. `prefix` is what stands before every line of a docstring. */
function samplesOf(path, fence, prefix) {
  const lines = readFileSync(join(root, path), 'utf8').split('\n')
  const samples = []
  for (let at = 0; at < lines.length; at++) {
    if (!fence.test(lines[at])) continue
    const end = lines.findIndex((line, index) => index > at && line.replace(prefix, '').trim() === '```')
    const code = lines.slice(at + 1, end).map((line) => line.replace(prefix, ''))
    samples.push({ path, line: at + 2, code: code.join('\n') })
    at = end
  }
  return samples
}

const documents = ['README.md', 'SECURITY.md', ...filesBelow('docs', '.md')]
const sources = filesBelow('src', '.ts').filter((path) => !path.endsWith('.test.ts'))
const samples = [
  ...documents.flatMap((path) => samplesOf(path, /^```ts$/, '')),
  ...sources.flatMap((path) => samplesOf(path, /^\s*\* ```ts$/, /^\s*\* ?/)),
]

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
const names = new Map()
for (const [index, sample] of samples.entries()) {
  const name = `s${String(index).padStart(3, '0')}.ts`
  names.set(name, sample)
  writeFileSync(join(target, name), `${sample.code}\nexport {}\n`)
}
writeFileSync(
  join(target, 'tsconfig.json'),
  JSON.stringify({
    extends: '../../tsconfig.json',
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false, rootDir: '../..' },
    include: ['*.ts'],
  }),
)

const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const { stdout, status } = spawnSync(process.execPath, [tsc, '--noEmit', '--pretty', 'false', '-p', target], {
  encoding: 'utf8',
})
for (const line of stdout.split('\n').filter(Boolean)) {
  const [, name, at, rest] = /(s\d+\.ts)\((\d+),\d+\): (.*)/.exec(line) ?? []
  const sample = names.get(name)
  console.log(sample ? `${sample.path}:${sample.line + Number(at) - 1}: ${rest}` : line)
}
if (samples.length === 0) console.log('check-snippets: there is no sample to compile')
else if (status === 0) console.log(`check-snippets: ${samples.length} samples compile`)
process.exitCode = samples.length === 0 ? 2 : status
