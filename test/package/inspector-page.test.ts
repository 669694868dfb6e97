import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { buildPage } from '../../tools/build-page.mjs'

const files = await buildPage()
const scripts = Object.entries(files).filter(([name]) => name.endsWith('.js'))
const style = files['style.css'] ?? ''

/** What a script needs before it runs: itself, and what it imports. */
function loadedWith(name: string): readonly string[] {
  const script = files[name] ?? ''
  const imported = [...script.matchAll(/(?:\bfrom|\bimport)\s*["'`]\.\/([\w-]+\.js)["'`]/g)].map(
    ([, file = '']) => file,
  )
  return [script, ...imported.flatMap(loadedWith)]
}

describe('the programs of the inspector pages', () => {
  it.each(['app.js', 'keys.js'])('%s with all it loads at first is at most 60 kB compressed', (name) => {
    const texts = [...loadedWith(name), style]
    expect(texts.every((text) => text !== '')).toBe(true)
    const compressed = texts.map((text) => gzipSync(text, { level: 9 }).length)
    expect(compressed.reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(60_000)
  })

  it('are the same from the same sources', async () => {
    expect(await buildPage()).toEqual(files)
  })

  it.each(scripts)(
    'FL-104 %s makes no markup out of text, runs no text as code, and asks nobody elsewhere',
    (_name, script) => {
      expect(script).not.toMatch(/\beval\(|new Function\(|document\.write|insertAdjacentHTML|\.outerHTML\s*=/)
      expect(script).not.toMatch(/importScripts|XMLHttpRequest|sendBeacon|WebSocket|EventSource\(/)
      for (const [, from = ''] of script.matchAll(/\bimport\(\s*([^)]*)\)/g))
        expect(from).toMatch(/^[`"']\.\/[\w-]+\.js[`"']$/)
      expect(style).not.toMatch(/@import|url\((?!["']?data:)/)
    },
  )

  it.each(scripts)('%s keeps nothing where a token could stay', (_name, script) => {
    expect(script).not.toMatch(/localStorage|indexedDB|document\.cookie/)
  })
})
