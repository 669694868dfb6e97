import { expect, it } from 'vitest'
import { commandName, urlName } from './server-name.ts'

it.each([
  ['npx -y @modelcontextprotocol/server-everything', 'npx -y @modelcontextprotocol/server-everything'],
  ['/usr/bin/npx -y pkg@1.2.3 /data', '/usr/bin/npx -y pkg@1.2.3 …'],
  ['node server.mjs', 'node server.mjs'],
  ['/opt/node20/bin/node /srv/server.mjs --password=x', '/opt/node20/bin/node /srv/server.mjs …'],
  ['python3.12 -m mcp_server_git --repository /r', 'python3.12 -m mcp_server_git …'],
  ['uvx mcp-server-git', 'uvx mcp-server-git'],
  ['docker run -i --rm mcp/git', 'docker run -i --rm mcp/git'],
  ['./server', './server'],
])('FL-71 of the command %s this is shown: %s', (command, shown) => {
  expect(commandName(command.split(' '))).toBe(shown)
})

it.each([
  'my-server hunter2',
  './server --token hunter2',
  'docker run -e TOKEN=hunter2 mcp/git',
  'docker run -i -e hunter2 mcp/git',
  'npx --api-key hunter2 pkg',
  'npx -y mcp-remote https://mcp.example.com/?k=hunter2',
  'node --import=hunter2 server.mjs',
  'npx https://user:hunter2@example.com/pkg.tgz',
  'node hunter2hunter2hunter2',
  'npx \u001b]0;hunter2',
])('FL-71 of the command %s no secret is shown', (command) => {
  const shown = commandName(command.split(' '))
  expect(shown).toMatch(/ …$/)
  expect(shown).not.toMatch(/hunter2|\p{Cc}/u)
})

it('FL-71 of a URL the place is shown, and no key in it', () => {
  const name = (url: string, written = url) => urlName(new URL(url), written)
  expect(name('https://mcp.example.com/v1/mcp?key=x')).toBe('https://mcp.example.com/v1/mcp')
  expect(name('http://127.0.0.1:9000/mcp', 'http://127.0.0.1:9000/mcp?key=${KEY}')).toMatch(/\/mcp$/)
  expect(name('https://h.example/s/1b5f5a1e7d9c4f6a/mcp')).toBe('https://h.example/…')
  expect(name('https://h.example/s/short/mcp', 'https://h.example/s/${KEY}/mcp')).toBe('https://h.example/…')
})
