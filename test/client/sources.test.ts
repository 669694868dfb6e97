import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authorizedFetch, Client } from 'mcp-bearer/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandToken } from '../../src/client/sources/command.ts'
import { fileToken } from '../../src/client/sources/file.ts'
import { functionToken } from '../../src/client/sources/function.ts'
import { answer, closeServers, failure, type Handler, listen, modernFetch, only, serve } from './servers.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-'))
  path = join(folder, 'token')
})
afterEach(async () => {
  rmSync(folder, { recursive: true })
  await closeServers()
})

const write = (token: string) => writeFileSync(path, token, { mode: 0o600 })

/** Takes one token, which may change, and refuses every other. */
function taking(token: () => string): Handler {
  return (request, response, body) => {
    const isGood = request.headers.authorization === `Bearer ${token()}`
    answer(isGood ? 200 : 401, isGood ? {} : { 'www-authenticate': 'Bearer error="invalid_token"' })(
      request,
      response,
      body,
    )
  }
}

describe('fileToken', () => {
  it('E-03 a client goes on when the file is replaced', async () => {
    let good = 'sk-one'
    const server = await serve(modernFetch((authorization) => only(good)(authorization)))
    write(good)
    await using client = new Client(server.url, { auth: fileToken(path) })
    await client.ping()
    good = 'sk-two'
    write(good)
    await client.ping()
    expect(new Set(server.authorizations)).toEqual(new Set(['Bearer sk-one', 'Bearer sk-two']))
  })

  it('E-21 a token that was replaced while the request was under way is sent instead, once', async () => {
    write('sk-old')
    const server = await listen((request, response, body) => {
      if (request.headers.authorization === 'Bearer sk-old') write('sk-new')
      taking(() => 'sk-new')(request, response, body)
    })
    const fetch = authorizedFetch({ url: server.url, auth: fileToken(path) })
    expect((await fetch(server.url)).status).toBe(200)
    expect(server.authorizations).toEqual(['Bearer sk-old', 'Bearer sk-new'])
  })

  it('E-22 the same token is not sent again', async () => {
    write('sk-old')
    const server = await listen(taking(() => 'sk-new'))
    const fetch = authorizedFetch({ url: server.url, auth: fileToken(path) })
    expect(await failure(fetch(server.url))).toMatchObject({ code: 'invalid_token', status: 401 })
    expect(server.requests).toHaveLength(1)
  })

  it('E-10 no request is made without the file', async () => {
    const server = await listen(answer(200))
    const fetch = authorizedFetch({ url: server.url, auth: fileToken(path) })
    const error = await failure(fetch(server.url))
    expect(error).toMatchObject({ code: 'token_unavailable', message: expect.stringContaining(path) })
    expect(server.requests).toHaveLength(0)
  })
})

describe('commandToken', () => {
  it('E-21 is run again after a 401, and once for all requests that failed with its token', async () => {
    write('sk-old')
    const server = await listen(taking(() => 'sk-new'))
    const program = `console.log(require('node:fs').readFileSync(process.argv[1], 'utf8'))`
    const auth = commandToken(process.execPath, ['-e', program, path])
    const fetch = authorizedFetch({ url: server.url, auth })
    expect(await failure(fetch(server.url))).toMatchObject({ code: 'invalid_token' })
    write('sk-new')
    const responses = await Promise.all(Array.from({ length: 10 }, () => fetch(server.url)))
    expect(responses.every(({ status }) => status === 200)).toBe(true)
    expect((await fetch(server.url)).status).toBe(200)
    expect(server.authorizations.at(-1)).toBe('Bearer sk-new')
  })
})

describe('functionToken', () => {
  it('E-21 fifty requests that fail with one token are one call for another', async () => {
    let number = 0
    const server = await listen(taking(() => 'sk-2'))
    const auth = functionToken(() => ({ token: `sk-${++number}`, expiresIn: 3600 }))
    const fetch = authorizedFetch({ url: server.url, auth })
    const responses = await Promise.all(Array.from({ length: 50 }, () => fetch(server.url)))
    expect(responses.every(({ status }) => status === 200)).toBe(true)
    expect(number).toBe(2)
  })

  it('E-09 one source for two servers gives each a token of its own', async () => {
    const servers = await Promise.all([listen(answer(200)), listen(answer(200))])
    const auth = functionToken(({ url }) => ({
      token: `sk-for-${new URL(url).port}`,
      expiresIn: 3600,
    }))
    for (const server of servers) {
      await authorizedFetch({ url: server.url, auth })(server.url)
      expect(server.authorizations).toEqual([`Bearer sk-for-${new URL(server.url).port}`])
    }
  })
})
