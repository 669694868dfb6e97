import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The command line of the built package. */
export const cli: string = `${root}dist/cli/main.js`

/** The command of a package that `node tools/install-gateway.mjs` has put there. */
export function installed(program: string): string {
  return `${root}.gateway/node_modules/.bin/${program}`
}

/**
 * Folders for the PATH of a shell in which the package is installed: `mcp-bearer` is there, and `npx` finds it and the
 * servers of others without the network.
 */
export function programFolders(): readonly string[] {
  const folder = `${root}build/programs`
  mkdirSync(folder, { recursive: true })
  const program = (name: string, text: string) => {
    writeFileSync(`${folder}/${name}`, text)
    chmodSync(`${folder}/${name}`, 0o755)
  }
  program('mcp-bearer', `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`)
  program('npx', npx)
  return [folder, `${root}.gateway/node_modules/.bin`]
}

/** What npx does once a package is there: it runs its program. */
const npx = `#!/bin/sh
[ "$1" = -y ] && shift
case "$1" in
  @modelcontextprotocol/inspector) shift; exec mcp-inspector "$@" ;;
  @modelcontextprotocol/*) name="mcp-\${1#@modelcontextprotocol/}"; shift; exec "$name" "$@" ;;
  *) exec "$@" ;;
esac
`
