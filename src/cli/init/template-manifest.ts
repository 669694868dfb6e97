import type { Project } from './project.ts'

/** `package.json`. The ranges are those that this package is tested with. */
export function manifest({ name, auth, package: own }: Project): string {
  const document = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: '>=20.19' },
    scripts: {
      build: 'tsc',
      start: 'tsc && node dist/main.js',
      test: 'tsc && node --test dist/server.test.js',
    },
    dependencies: { 'mcp-bearer': own, zod: '^4.0.0' },
    // Node 20 has no SQLite of its own; newer ones do without.
    ...(auth === 'api-keys' && { optionalDependencies: { '@photostructure/sqlite': '^1.2.0' } }),
    devDependencies: { '@types/node': '^20.19.0', typescript: '^7.0.0' },
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** `tsconfig.json`. Imports end in `.ts`, so that newer Nodes run the sources as they are. */
export const tsconfig = `{
  "compilerOptions": {
    "target": "es2023",
    "lib": ["es2023"],
    "types": ["node"],
    "module": "nodenext",
    "rootDir": "src",
    "outDir": "dist",
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "rewriteRelativeImportExtensions": true,
    "skipLibCheck": true
  },
  "include": ["src"]
}
`

/** `.gitignore`: what is built, and what is secret. */
export const gitignore = `node_modules
dist

# Secrets: they stay on the machine where they are used.
.env
*.pem
keys.db
keys.db-*
`

/** `.env.example`: settings, and no secret among them. */
export function environmentExample({ auth, name }: Project): string {
  const port = 'PORT=8000\n'
  if (auth === 'api-keys') {
    return `# Copy this to .env to change something. The server runs without it, too.
${port}
# Where the API keys are: a file, or postgres://host/name.
MCP_BEARER_DB=keys.db
`
  }
  return `# Copy this to .env. In production these are the names of your identity provider and of this server.
${port}
# Who makes the tokens: what stands in their iss claim. "npx mcp-bearer issuer --key issuer.pem" runs this one.
ISSUER=http://127.0.0.1:9000

# This server, as the aud claim of its tokens calls it.
AUDIENCE=${name}
`
}
