import { createServer } from 'node:http'
import { type AccessTokenInit, MCPServer, type StandardSchema, type ToolAnnotations } from 'mcp-bearer/server'
import type { Catalogue, CatalogueComponent } from '../../src/server/pages/catalogue.ts'
import { listening } from '../http/support.ts'
import type { Site } from './site.ts'

/** A real server that listens, with what a catalogue names in it, so that its pages show that catalogue. */
export async function siteOfServer(catalogue: Catalogue): Promise<Site> {
  const server = serverOf(catalogue)
  const { url } = await server.listen({ port: 0 })
  return { origin: new URL(url).origin, close: () => server.close() }
}

/** The same in somebody else's server, below `/below`. */
export async function siteBelowPrefix(catalogue: Catalogue): Promise<Site> {
  const server = serverOf(catalogue)
  const { port, close } = await listening(
    createServer((req, res) => {
      req.url = (req.url ?? '').replace(/^\/below(?=\/)/, '')
      server.nodeListener(req, res)
    }),
  )
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => Promise.all([close(), server.close()]).then(() => {}),
  }
}

function serverOf(catalogue: Catalogue): MCPServer {
  const { name, version, ...about } = catalogue.server
  const { scheme, apiKeyHeader, authorizationServers = [], requiredScopes = [] } = catalogue.security
  const verifyToken = async (token: string): Promise<AccessTokenInit> => ({ token })
  const auth = { verifyToken, authorizationServers, requiredScopes }
  const server = new MCPServer(
    {
      name,
      version,
      about: {
        ...about,
        ...(catalogue.instructions !== undefined && { instructions: catalogue.instructions }),
      } as object,
      ...(scheme === 'bearer' && { auth }),
      logger() {},
    },
    {
      publicPages: true,
      ...(apiKeyHeader !== undefined && { apiKeyHeader }),
      ...(authorizationServers.length > 0 && { resource: 'https://shop.example.com/mcp' }),
    },
  )
  fill(server, catalogue)
  return server
}

function fill(server: MCPServer, { tools, resources, resourceTemplates, prompts }: Catalogue): void {
  for (const component of tools) {
    const { inputSchema, outputSchema, annotations } = component.listed
    const schemas = {
      inputSchema: schemaOf(inputSchema),
      ...(outputSchema !== undefined && { outputSchema: schemaOf(outputSchema) }),
      ...(annotations !== undefined && { annotations: annotations as ToolAnnotations }),
    }
    server.tool(textOf(component, 'name')!, { ...common(component), ...schemas }, () => 'unused')
  }
  for (const component of [...resources, ...resourceTemplates]) {
    const uri = textOf(component, 'uri') ?? textOf(component, 'uriTemplate')!
    const { size, icons } = component.listed
    const listed = { ...(size !== undefined && { size }), ...(icons !== undefined && { icons }) } as object
    const options = { ...common(component), name: textOf(component, 'name')!, listed }
    server.resource(uri, { ...options, ...optional(component, 'mimeType') }, () => 'unused')
  }
  for (const component of prompts) {
    const { arguments: args } = component.listed as { arguments: readonly Argument[] }
    server.prompt(
      textOf(component, 'name')!,
      { ...common(component), argsSchema: argumentsOf(args) },
      () => 'unused',
    )
  }
}

interface Argument {
  readonly name: string
  readonly description?: string
  readonly required: boolean
}

function argumentsOf(args: readonly Argument[]): StandardSchema {
  const property = ({ name, description }: Argument) => [
    name,
    { type: 'string', ...(description && { description }) },
  ]
  return schemaOf({
    type: 'object',
    properties: Object.fromEntries(args.map(property)),
    required: args.filter(({ required }) => required).map(({ name }) => name),
  })
}

function common(component: CatalogueComponent): object {
  const { scopes, conditional } = component
  return {
    scopes,
    ...(conditional === true && { authorize: () => true }),
    ...optional(component, 'title'),
    ...optional(component, 'description'),
  }
}

function optional(component: CatalogueComponent, member: string): object {
  const text = textOf(component, member)
  return text === undefined ? {} : { [member]: text }
}

function textOf({ listed }: CatalogueComponent, member: string): string | undefined {
  const value = listed[member]
  return typeof value === 'string' ? value : undefined
}

/** A schema that says what is written, and takes everything. */
function schemaOf(written: unknown): StandardSchema {
  const json = () => written as Record<string, unknown>
  return {
    '~standard': {
      version: 1,
      vendor: 'written',
      validate: (value) => ({ value }),
      jsonSchema: { input: json, output: json },
    },
  }
}
