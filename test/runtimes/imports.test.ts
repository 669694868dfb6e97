import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'
import { expect, it } from 'vitest'

/** What loading `mcp-bearer/verify` may load besides its own files. Nothing: where there is no Node, it must load too. */
const allowed: readonly string[] = []

it('loading mcp-bearer/verify loads no module of Node and no package', () => {
  const { files, foreign } = loadedBy('verify/index.js')
  expect(foreign).toEqual(allowed)
  expect(files).toContain('core/access-token.js')
})

it('would be noticed: the signing side needs Node', () => {
  expect(loadedBy('issuer/index.js').foreign).toContain('node:crypto')
})

/** Everything that comes along when a built file is loaded; `foreign` are those that are no built files. */
function loadedBy(entry: string): { files: readonly string[]; foreign: readonly string[] } {
  const dist = new URL('../../dist/', import.meta.url)
  const files = new Set([entry])
  const foreign = new Set<string>()
  // A set that grows while it is walked: what is added comes up later.
  for (const file of files) {
    const url = new URL(file, dist)
    for (const specifier of importsOf(url)) {
      if (specifier.startsWith('.')) files.add(new URL(specifier, url).href.slice(dist.href.length))
      else foreign.add(specifier)
    }
  }
  return { files: [...files], foreign: [...foreign].sort() }
}

function importsOf(url: URL): readonly string[] {
  const path = fileURLToPath(url)
  const { module, errors } = parseSync(path, readFileSync(path, 'utf8'))
  if (errors.length > 0) throw new Error(`${path} cannot be parsed`)
  const imported = module.staticImports.map((one) => one.moduleRequest.value)
  const passedOn = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
  )
  return [...imported, ...passedOn]
}
