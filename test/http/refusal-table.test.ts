import { readdirSync, readFileSync } from 'node:fs'
import { authErrorCodes } from 'mcp-bearer'
import { parseSync, Visitor } from 'oxc-parser'
import { describe, expect, it } from 'vitest'
import { answers, refusalWriter } from '../../src/http/refusal.ts'

const root = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/errors.md', root), 'utf8')
const write = refusalWriter({ realm: 'mcp', scope: ['mcp:read'] })

/** The rows of the first table of docs/errors.md, as text. */
const rows = page
  .split('\n## ')[0]!
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim().replace(/^`|`$/g, '')))

describe('the table of answers', () => {
  it('has a row for each code, and no other', () => {
    expect(Object.keys(answers).sort()).toEqual([...authErrorCodes].sort())
  })

  it('is the table of docs/errors.md: codes, statuses, challenges, bodies', () => {
    const documented = rows.map(([, code, status, challenge, body]) => ({
      code,
      status: Number(status),
      challenge: challenge !== 'none',
      namesError: /error="(\w+)"/.exec(challenge!)?.[1],
      body: body!.replace('"…"', '"mcp:read"'),
    }))
    const real = authErrorCodes.map((code) => {
      const { status, headers, body } = write(code)
      const challenge = headers['www-authenticate']
      return {
        code,
        status,
        challenge: challenge !== undefined,
        namesError: /error="(\w+)"/.exec(challenge ?? '')?.[1],
        body,
      }
    })
    expect(documented).toEqual(real)
  })

  it('is the only place on the server side that says 401 or 403', () => {
    // The way to the server behind a gateway is that of a client, which reads them.
    const isClient = (path: string) => path.startsWith('src/gateway/http/')
    const sources = ['http', 'server', 'gateway', 'verify'].flatMap(sourcesOf)
    const said = sources.filter((path) => !isClient(path) && says(path))
    expect(said).toEqual(['src/http/refusal.ts'])
  })
})

function sourcesOf(room: string): string[] {
  const folder = new URL(`src/${room}/`, root)
  return listed(folder)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => `src/${room}/${name}`)
}

/** A room that is not built yet holds nothing. */
function listed(folder: URL): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
}

/** Whether a file holds one of the statuses as a number; comments do not count. */
function says(path: string): boolean {
  const { program } = parseSync(path, readFileSync(new URL(path, root), 'utf8'))
  let found = false
  new Visitor({
    Literal: (node) => {
      found ||= node.value === 401 || node.value === 403
    },
  }).visit(program)
  return found
}
