import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { access } from './guide/access.ts'
import { asking } from './guide/asking.ts'
import { components } from './guide/components.ts'
import { places } from './guide/places.ts'
import { guide } from './guide/world.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const files = readdirSync(`${root}examples/guide`).sort()
const tests = { ...components, ...asking, ...access, ...places }

describe('docs/server.md', () => {
  const shown = blocksOf(readFileSync(`${root}docs/server.md`, 'utf8'))

  it('shows every program of examples/guide as it is, under a link to it', () => {
    expect(shown.map(({ file }) => file).sort()).toEqual(files)
    for (const { file, code } of shown)
      expect(code, file).toBe(readFileSync(`${root}examples/guide/${file}`, 'utf8'))
  })

  it('shows no program that is not tested', () => {
    expect(Object.keys(tests).sort()).toEqual(files.map((file) => file.replace(/\.ts$/, '')))
  })
})

for (const [name, define] of Object.entries(tests)) guide(name, define)

/** Every block of TypeScript, with the file that the line above links to. */
function blocksOf(text: string): { file: string | undefined; code: string }[] {
  const blocks = text.matchAll(/(?<before>[^\n]*)\n+```(?:ts|typescript|js)\n(?<code>.*?)^```$/gms)
  return Array.from(blocks, ({ groups }) => ({
    file: /^\[.*\]\(\.\.\/examples\/guide\/([\w-]+\.ts)\)$/.exec(groups!.before!)?.[1],
    code: groups!.code!,
  }))
}
