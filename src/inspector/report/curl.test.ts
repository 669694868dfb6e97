import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { curlLine, curlOf, shellWord } from './curl.ts'

const url = 'http://127.0.0.1:9/mcp'

/** The words a shell makes of a line, where the program only prints them. */
async function wordsOf(line: string, environment: Record<string, string> = {}): Promise<string[]> {
  const script = `curl() { for word; do printf '%s\\0' "$word"; done; }\n${line}`
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', script], { env: environment })
  return stdout.split('\0').slice(0, -1)
}

describe('a request as a line of curl', () => {
  it('the token is the variable of a person', () => {
    const line = curlOf({
      method: 'POST',
      url,
      headers: [
        ['Content-Type', 'application/json'],
        ['Authorization', 'Bearer [redacted]'],
      ],
      body: '{"a":1}',
    })
    expect(line).toBe(
      `curl -i --path-as-is -g -H 'Content-Type: application/json' -H "Authorization: Bearer $TOKEN" --data-raw '{"a":1}' ${url}`,
    )
  })

  it('a shell gets every word as it was, whatever stands in it', async () => {
    const awkward = `it's "$HOME" \`id\` $(id) ; rm -rf x \\ ! * ~ # & | < >\n\ttwo`
    const words = await wordsOf(
      curlOf({ method: 'a b', url: `${url}?q=${awkward}`, headers: [['X-A', awkward]], body: awkward }),
      { HOME: '/home/nobody' },
    )
    expect(words).toEqual([
      ...['-i', '--path-as-is', '-g', '-X', 'a b', '-H', `X-A: ${awkward}`, '-H', 'Content-Type:'],
      ...['--data-raw', awkward, `${url}?q=${awkward}`],
    ])
  })

  it.each([
    ['Bearer [redacted]', 'Bearer t0k'],
    ['a=[redacted]b "$x"', 'a=t0kb "$x"'],
    ['[redacted]_x', 't0k_x'],
    ['[redacted][redacted]', 't0kt0k'],
    [`it's [redacted]'`, `it's t0k'`],
    ['`[redacted]`', '`t0k`'],
    ['[redacted]', 't0k'],
  ])('the shell puts the token into %s', async (word, expected) => {
    expect(await wordsOf(`curl ${shellWord(word)}`, { TOKEN: 't0k' })).toEqual([expected])
  })

  it('what curl would understand in its own way is written so that it does not', async () => {
    const headers = [
      ['X-Empty', ''],
      ['@/etc/passwd', 'x'],
      ['Content-Length', '3'],
    ] as const
    expect(await wordsOf(curlOf({ method: 'GET', url, headers }))).toEqual([
      ...['-i', '--path-as-is', '-g', '-H', 'X-Empty;', url],
    ])
    expect(curlOf({ method: 'HEAD', url, headers: [] })).toBe(`curl -i --path-as-is -g --head ${url}`)
    expect(curlOf({ method: 'GET', url, headers: [], body: '@x' })).toContain(
      `-X GET -H 'Content-Type:' --data-raw @x`,
    )
  })

  it('a request of a probe keeps its target', () => {
    const request = { method: 'GET', headers: [] }
    expect(curlLine({ ...request, target: '//mcp/../%6dcp' }, url)).toContain(
      ' http://127.0.0.1:9//mcp/../%6dcp',
    )
    expect(curlLine({ ...request, method: 'OPTIONS', target: '*' }, url)).toBe(
      `curl -i --path-as-is -g -X OPTIONS http://127.0.0.1:9/ --request-target '*'`,
    )
  })
})
