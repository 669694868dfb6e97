import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(root, 'docs/images')
const documents = [
  join(root, 'README.md'),
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(root, 'docs', name)),
]

/** An image that a document shows. */
interface Shown {
  /** Where the document says it is; a file, or an address elsewhere. */
  readonly src: string
  readonly alt: string
  readonly file: string
}

function imagesOf(document: string): Shown[] {
  // What is in a block of code is no image.
  const text = readFileSync(document, 'utf8').replace(/^```.*?^```/gms, '')
  const written = [...text.matchAll(/!\[([^\]]*)\]\(([^)\s]+)[^)]*\)/g)].map(([, alt = '', src = '']) => ({
    alt,
    src,
  }))
  const tags = [...text.matchAll(/<(?:img|source)\b[^>]*>/g)].map(([tag]) => ({
    alt: /\balt="([^"]*)"/.exec(tag)?.[1] ?? (tag.startsWith('<source') ? 'of the img beside it' : ''),
    src: /\bsrc(?:set)?="([^"]*)"/.exec(tag)?.[1] ?? '',
  }))
  return [...written, ...tags].map((image) => ({ ...image, file: resolve(dirname(document), image.src) }))
}

/** Those that a document only leads to. */
function linkedIn(document: string): string[] {
  const links = readFileSync(document, 'utf8').matchAll(/(?<!!)\[[^\]]+\]\(([^)\s]+\.png)\)/g)
  return [...links].map(([, address = '']) => resolve(dirname(document), address))
}

const shown = documents.flatMap(imagesOf)
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

describe('the images of the documentation', () => {
  it('are there to be looked at', () => {
    expect(shown.length).toBeGreaterThan(0)
  })

  it.each(shown)(
    '$src is a file of this project, a PNG below 200 kB, and says in words what is to be seen',
    (image) => {
      const bytes = readFileSync(image.file)
      expect(dirname(image.file)).toBe(folder)
      expect(bytes.subarray(0, signature.length)).toEqual(signature)
      expect(bytes.length).toBeLessThan(200_000)
      expect(image.alt.length).toBeGreaterThan(10)
    },
  )

  it('none is there that no document shows or leads to, and together they are below 900 kB', () => {
    const files = readdirSync(folder).map((name) => join(folder, name))
    const used = new Set([...shown.map(({ file }) => file), ...documents.flatMap(linkedIn)])
    expect(files.sort()).toEqual([...used].sort())
    const bytes = files.reduce((sum, file) => sum + readFileSync(file).length, 0)
    expect(bytes).toBeLessThan(900_000)
  })
})
