import { describe, expect, it } from 'vitest'

interface Bundles {
  readonly wantedBytes: number
  readonly bundles: Readonly<Record<string, readonly string[]>>
  bundleFor(
    names: readonly string[],
  ): Promise<{ readonly code: string; readonly nodeImports: readonly string[]; readonly gzip: number }>
}

const measured = '../../bench/client/bundle.mjs'
const { bundles, bundleFor, wantedBytes } = (await import(measured)) as Bundles

describe('a bundle of the client for browsers', () => {
  it.each(Object.entries(bundles))('%s: nothing of Node is imported', async (_name, exports) => {
    const { code, nodeImports } = await bundleFor(exports)
    expect(nodeImports).toEqual([])
    expect(code).not.toMatch(/(?:from|import|require)\s*\(?\s*["'`]node:/)
  })

  it('the auth layer is small: what a page loads before anything fails', async () => {
    const { code, gzip } = await bundleFor(bundles['auth layer']!)
    expect(code).toContain('authorization')
    expect(gzip).toBeLessThanOrEqual(wantedBytes)
  })
})
