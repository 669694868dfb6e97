import { createServer } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import express from 'express'
import { bearerAuth, getAccessToken } from 'mcp-bearer/express'
import { describe, expect, it } from 'vitest'
import { adapterContract } from './adapter-contract.ts'
import { askRaw, goodToken, knowing, listening, request } from './support.ts'

describe('mcp-bearer/express', () => {
  adapterContract((options, report) => {
    const app = express()
    app.use('/mcp', bearerAuth(options), express.json(), async (req, res) => {
      await turn()
      const seen = {
        clientId: req.auth?.clientId,
        ambient: getAccessToken()?.clientId,
        credentials: [req.get('authorization'), req.headersDistinct['x-api-key']?.[0]],
        body: JSON.stringify(req.body),
      }
      report(seen)
      res.json(seen)
    })
    return listening(createServer(app))
  })

  it('FL-18 FL-19 protects every spelling of the path, also under a prefix', async () => {
    const reached: string[] = []
    const router = express.Router()
    router.use(bearerAuth({ verifier: knowing({ [goodToken]: { token: goodToken } }) }), (req, res) => {
      reached.push(req.originalUrl)
      res.end('inside')
    })
    const app = express()
    app.use('/team-a', router)
    const server = await listening(createServer(app))
    const paths = [
      '/team-a/mcp',
      '/team-a/mcp/',
      '/team-a//mcp',
      '/team-a/%6dcp',
      '/team-a/x/../mcp',
      '/team-a/mcp;x',
      '/TEAM-A/MCP',
      'http://localhost/team-a/mcp',
      '/team-a/health',
    ]
    const answers = await Promise.all(
      paths.map((path) => askRaw(server.port, request(`GET ${path} HTTP/1.1`, []))),
    )
    const allowed = await askRaw(
      server.port,
      request('GET /team-a/mcp HTTP/1.1', [`Authorization: Bearer ${goodToken}`]),
    )
    await server.close()
    for (const answer of answers) expect([401, 404]).toContain(answer.status)
    expect(answers.filter((answer) => answer.status === 401).length).toBeGreaterThan(6)
    expect(allowed.body).toBe('inside')
    expect(reached).toEqual(['/team-a/mcp'])
  })
})
