import { describe, expect, it } from 'vitest'

interface Bundles {
  readonly bundles: Readonly<Record<string, readonly string[]>>
  bundleFor(
    names: readonly string[],
  ): Promise<{ readonly code: string; readonly nodeImports: readonly string[] }>
}

const measured = '../../bench/client/bundle.mjs'
const { bundles, bundleFor } = (await import(measured)) as Bundles

describe('a bundle of the client for browsers', () => {
  it.each(Object.entries(bundles))('%s: nothing of Node is imported', async (_name, exports) => {
    const { code, nodeImports } = await bundleFor(exports)
    expect(nodeImports).toEqual([])
    expect(code).not.toMatch(/(?:from|import|require)\s*\(?\s*["'`]node:/)
  })
})
