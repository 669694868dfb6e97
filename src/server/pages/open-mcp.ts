import type { JsonObject } from '../types.ts'
import type { Catalogue, CatalogueComponent, CatalogueSecurity } from './catalogue.ts'

/** The version of the format: the second number grows with what is added, the first with what breaks a reader. */
export const formatVersion = '1.0'

/**
 * The document behind `/openmcp.json`: what a server offers, and what a caller has to bring. Built from a list of known
 * members, so that what is new in the registry is not published by accident; components stay in the order they are
 * given in, members in a fixed one.
 *
 * @param catalogue of the server; it is read, not kept
 */
export function openMcp(catalogue: Catalogue): JsonObject {
  const { name, title, version, description, websiteUrl, icons } = catalogue.server
  return {
    openmcp: formatVersion,
    info: defined({ name, title, version, description, websiteUrl, icons }),
    endpoint: {
      url: catalogue.endpoint,
      transports: catalogue.transports,
      revisions: catalogue.revisions,
    },
    security: security(catalogue.security),
    ...defined({ instructions: catalogue.instructions }),
    tools: catalogue.tools.map((tool) => published(tool, toolMembers)),
    resources: catalogue.resources.map((resource) => published(resource, ['uri', ...resourceMembers])),
    resourceTemplates: catalogue.resourceTemplates.map((template) =>
      published(template, ['uriTemplate', ...resourceMembers]),
    ),
    prompts: catalogue.prompts.map((prompt) => published(prompt, promptMembers)),
  }
}

const toolMembers = ['name', 'title', 'description', 'icons', 'inputSchema', 'outputSchema', 'annotations']
const resourceMembers = ['name', 'title', 'description', 'icons', 'mimeType', 'size', 'annotations']
const promptMembers = ['name', 'title', 'description', 'icons', 'arguments']

function published(component: CatalogueComponent, members: readonly string[]): JsonObject {
  const { listed, scopes, conditional } = component
  const shown = members.filter((member) => Object.hasOwn(listed, member))
  return {
    ...defined(Object.fromEntries(shown.map((member) => [member, listed[member]]))),
    scopes,
    ...(conditional === true && { conditional }),
  }
}

/** RFC 6750 section 2.1: the header is the only place for a token. */
function security(of: CatalogueSecurity): JsonObject {
  if (of.scheme === 'none') return { scheme: 'none', description: 'No token is asked for.' }
  const token = 'access token in the header of every request, as "Authorization: Bearer <token>" (RFC 6750)'
  return {
    scheme: 'bearer',
    header: 'Authorization',
    description: of.optional === true ? `An ${token}, or none at all.` : `An ${token}.`,
    ...(of.optional === true && { optional: true }),
    ...defined({
      apiKeyHeader: of.apiKeyHeader,
      resourceMetadata: of.resourceMetadata,
      authorizationServers: listOrNothing(of.authorizationServers),
      requiredScopes: listOrNothing(of.requiredScopes),
    }),
  }
}

function listOrNothing(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list
}

/** The object without the members that say nothing. */
function defined(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}
