import type { Project } from './project.ts'

/** `README.md`: three commands, and what comes next. */
export function readme(project: Project): string {
  const { name, auth } = project
  return `# ${name}

An MCP server that wants ${auth === 'jwt' ? 'a token of an identity provider' : 'an API key'}, made with \`mcp-bearer init\`.

${auth === 'jwt' ? jwtCommands : apiKeyCommands}

Call it, in one more terminal:

${auth === 'jwt' ? jwtCalls(name) : apiKeyCalls}

| file | what is in it |
|---|---|
| [src/server.ts](src/server.ts) | the tools, and the scopes they take |
| [src/main.ts](src/main.ts) | who may call, and where it listens |
| [src/server.test.ts](src/server.test.ts) | what must go on being true |
| [.env.example](.env.example) | what can be set; a copy called \`.env\` is read at the start |

${auth === 'jwt' ? jwtNext : apiKeyNext}
It listens on 127.0.0.1. To let others in, put it behind a proxy that speaks TLS.
`
}

const apiKeyCommands = `\`\`\`sh
npm install && npm test
npx mcp-bearer keys create --db keys.db --name laptop --owner alice --scope math:use   # shows a key, once
npm start
\`\`\``

const apiKeyCalls = `\`\`\`sh
export KEY=…   # the key
npx mcp-bearer call http://127.0.0.1:8000/mcp whoami --auth env:KEY
npx mcp-bearer call http://127.0.0.1:8000/mcp add a:=1 b:=2 --auth env:KEY
\`\`\``

const apiKeyNext = `Keys are kept as digests in \`keys.db\`. \`npx mcp-bearer keys list --db keys.db\` shows them, \`rotate\` and \`revoke\` work at
once, also while the server runs.
`

const jwtCommands = `\`\`\`sh
npm install && npm test
npx mcp-bearer issuer --key issuer.pem   # stands in for the identity provider; leave it running
cp .env.example .env && npm start        # in a second terminal
\`\`\``

function jwtCalls(name: string): string {
  return `\`\`\`sh
export TOKEN=$(npx mcp-bearer token mint --key issuer.pem --issuer http://127.0.0.1:9000 --audience ${name} --subject alice --scope math:use)
npx mcp-bearer call http://127.0.0.1:8000/mcp whoami --auth env:TOKEN
npx mcp-bearer call http://127.0.0.1:8000/mcp add a:=1 b:=2 --auth env:TOKEN
\`\`\`

Refused? \`npx mcp-bearer token verify env:TOKEN --issuer http://127.0.0.1:9000 --audience ${name}\` says why.`
}

const jwtNext = `In production, \`ISSUER\` is your identity provider and \`AUDIENCE\` what it calls this server; the code stays as it is.
`
