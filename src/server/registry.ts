import { type ComponentList, componentList } from './component-list.ts'
import type { PromptEntry } from './prompts.ts'
import type { ResourceEntry } from './resources.ts'
import type { ToolEntry } from './tools.ts'
import { normalUri } from './uri-template.ts'

/** Everything a server offers. Knows nothing of any transport; every look-up is told who asks. */
export interface Registry {
  readonly tools: ComponentList<ToolEntry>
  /** Resources with a fixed URI. */
  readonly resources: ComponentList<ResourceEntry>
  readonly templates: ComponentList<ResourceEntry>
  readonly prompts: ComponentList<PromptEntry>
}

/** A resource that was found, and the variables of its template. */
export interface FoundResource {
  readonly entry: ResourceEntry
  readonly args: Readonly<Record<string, string>>
}

/** An empty {@link Registry}. */
export function registry(): Registry {
  return {
    tools: componentList('tool'),
    resources: componentList('resource'),
    templates: componentList('resource template'),
    prompts: componentList('prompt'),
  }
}

/** The resource behind a URI: a fixed one first, else the first template that matches. */
export function findResource(all: Registry, uri: string): FoundResource | undefined {
  const normal = normalUri(uri)
  if (normal === undefined) return undefined
  const fixed = all.resources.get(normal)
  if (fixed) return { entry: fixed, args: {} }
  for (const entry of all.templates.values()) {
    const args = entry.template?.match(normal)
    if (args) return { entry, args }
  }
  return undefined
}
