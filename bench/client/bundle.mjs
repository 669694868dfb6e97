// What a browser would load: bundles of the built package for the browser, minified and compressed.
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const client = fileURLToPath(new URL('../../dist/client/index.js', import.meta.url))

/** Compressed bytes of the auth layer: what carries a token, without the SDK. */
export const wantedBytes = 6000

/** What is bundled, by name: the exports that are used. `MCPClient` reads files and starts processes; it is for Node. */
export const bundles = {
  'auth layer': ['authorizedFetch', 'AuthError', 'BearerAuth'],
  'with refresh tokens': ['authorizedFetch', 'AuthError', 'BearerAuth', 'refreshToken'],
  'with DPoP': ['authorizedFetch', 'AuthError', 'BearerAuth', 'refreshToken', 'dpopKey'],
  'Client, first load': [
    'AuthError',
    'BearerAuth',
    'Client',
    'SSETransport',
    'StreamableHttpTransport',
    'oauth',
  ],
}

/**
 * Bundles for the browser.
 * @returns `code` of the first chunk, `nodeImports` in all chunks, and sizes in bytes: `minified`, `gzip`, `brotli` of
 *   the first chunk, `later` of what is loaded when it is needed
 */
export async function bundleFor(names) {
  const built = await rolldown({
    input: 'entry',
    platform: 'browser',
    external: /^node:/,
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? id : undefined),
        load: (id) =>
          id === 'entry' ? `export { ${names.join(', ')} } from ${JSON.stringify(client)}` : undefined,
      },
    ],
  })
  const { output } = await built.generate({ format: 'esm', minify: true })
  await built.close()
  const [entry] = output
  const first = reachable(entry, output, ({ imports }) => imports)
  const code = first.map((chunk) => chunk.code).join('\n')
  return {
    code,
    nodeImports: output.flatMap(({ imports = [], dynamicImports = [] }) =>
      [...imports, ...dynamicImports].filter((name) => name.startsWith('node:')),
    ),
    minified: Buffer.byteLength(code),
    gzip: gzipSync(code, { level: 9 }).length,
    brotli: brotliCompressSync(code).length,
    later: output
      .filter((chunk) => !first.includes(chunk))
      .reduce((sum, { code: text = '' }) => sum + gzipSync(text).length, 0),
  }
}

/** The chunks a chunk cannot do without. */
function reachable(entry, output, next) {
  const found = [entry]
  for (const chunk of found) {
    for (const name of next(chunk)) {
      const other = output.find(({ fileName }) => fileName === name)
      if (other !== undefined && !found.includes(other)) found.push(other)
    }
  }
  return found
}
