import { mainOfApiKeys, mainOfJwt } from './template-main.ts'
import { environmentExample, gitignore, manifest, tsconfig } from './template-manifest.ts'
import { readme } from './template-readme.ts'
import { server } from './template-server.ts'
import { testOfApiKeys, testOfJwt } from './template-test.ts'

/** How callers of a new server prove who they are. */
export const authKinds = ['api-keys', 'jwt'] as const

/** One of {@link authKinds}. */
export type AuthKind = (typeof authKinds)[number]

/** What a new project is made of. */
export interface Project {
  /** Of the package and of the server: what npm takes as a name. */
  readonly name: string
  readonly auth: AuthKind
  /** What npm is to install as `mcp-bearer`: a range, a path, a URL. */
  readonly package: string
}

/** All files of a new project: their path in its folder, and their text. */
export function projectFiles(project: Project): ReadonlyMap<string, string> {
  const isJwt = project.auth === 'jwt'
  return new Map([
    ['package.json', manifest(project)],
    ['tsconfig.json', tsconfig],
    ['.gitignore', gitignore],
    ['.env.example', environmentExample(project)],
    ['README.md', readme(project)],
    ['src/server.ts', server(project)],
    ['src/main.ts', isJwt ? mainOfJwt : mainOfApiKeys],
    ['src/server.test.ts', isJwt ? testOfJwt : testOfApiKeys],
  ])
}
