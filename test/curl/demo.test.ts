import { afterEach, expect, it } from 'vitest'
import { type RunningDemo, run, startDemo } from '../examples/demo.ts'

let demo: RunningDemo | undefined
afterEach(async () => {
  demo?.child.kill('SIGINT')
  await demo?.closed
})

it('the line the demo prints works when pasted into a shell', async () => {
  demo = await startDemo()
  const { stdout } = await run('sh', ['-c', demo.curl])
  expect(JSON.parse(stdout)).toMatchObject({ result: { structuredContent: { subject: 'alice' } } })
})

it('curl without the token gets the 401 and its challenge', async () => {
  demo = await startDemo()
  const { stdout } = await run('sh', ['-c', demo.curl.replace(/ -H 'Authorization: [^']*'/, ' -i')])
  expect(stdout).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/)
  expect(stdout).toMatch(/^www-authenticate: Bearer realm="mcp"/im)
})
