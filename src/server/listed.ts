import { checkOptions, numberBetween } from '../core/options.ts'
import type { Icon, JsonObject, ListedResource, ToolAnnotations } from './types.ts'

/**
 * What more stands in the list beside a component, as it goes over the wire. One line that clients cannot read would
 * spoil the whole list for them.
 *
 * @throws TypeError naming what is unknown or wrong
 */
export function listedMembers(
  owner: string,
  listed: ListedResource = {},
  known: readonly string[] = ['icons', 'meta'],
): JsonObject {
  checkOptions(`${owner}: listed`, listed, known)
  const { icons, meta, annotations, size } = listed
  return {
    ...(icons !== undefined && { icons: checkedIcons(owner, icons) }),
    ...(annotations !== undefined && { annotations: checkedAnnotations(owner, annotations) }),
    ...(size !== undefined && { size: checkedSize(owner, size) }),
    ...(meta !== undefined && { _meta: { ...checkedObject(`${owner}: meta`, meta) } }),
  }
}

/**
 * The texts of a component that are there.
 * @throws TypeError when one is no text
 */
export function listedTexts<Name extends string>(
  owner: string,
  options: { readonly [name in Name]?: unknown },
  names: readonly Name[],
): JsonObject {
  const present = names.filter((name) => options[name] !== undefined)
  for (const name of present) {
    if (typeof options[name] !== 'string') throw new TypeError(`${owner}: ${name} must be a text`)
  }
  return Object.fromEntries(present.map((name) => [name, options[name]]))
}

const hints = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const

/** @throws TypeError when they are none of MCP "Tool annotations" */
export function toolAnnotations(owner: string, annotations: ToolAnnotations): JsonObject {
  const place = `${owner}: annotations`
  checkOptions(place, annotations, ['title', ...hints])
  for (const name of hints) {
    const value = annotations[name]
    if (value !== undefined && typeof value !== 'boolean')
      throw new TypeError(`${place}: ${name} must be true or false`)
  }
  listedTexts(place, annotations, ['title'])
  return { ...annotations }
}

/** @throws TypeError when one is not a `https` or `data` URL, or says of itself what is no text */
export function checkedIcons(owner: string, icons: readonly Icon[]): readonly Icon[] {
  if (!Array.isArray(icons)) throw new TypeError(`${owner}: icons must be a list`)
  for (const icon of icons as readonly Partial<Icon>[]) {
    // MCP "Icons": clients refuse every other scheme, as it could run something.
    if (typeof icon?.src !== 'string' || !/^(?:https:\/\/|data:image\/)/.test(icon.src))
      throw new TypeError(`${owner}: the src of an icon must be a https: or data: URL`)
    listedTexts(`${owner}: icons`, icon, ['mimeType'])
    const { sizes = [], theme = 'light' } = icon
    if (!Array.isArray(sizes) || !sizes.every((size) => typeof size === 'string'))
      throw new TypeError(`${owner}: the sizes of an icon must be a list of texts, such as "48x48"`)
    if (theme !== 'light' && theme !== 'dark')
      throw new TypeError(`${owner}: the theme of an icon must be "light" or "dark"`)
  }
  return icons.map((icon) => Object.freeze({ ...icon }))
}

/** MCP "Annotations". */
function checkedAnnotations(
  owner: string,
  annotations: NonNullable<ListedResource['annotations']>,
): JsonObject {
  const place = `${owner}: annotations`
  checkOptions(place, annotations, ['audience', 'priority', 'lastModified'])
  const { audience = [], priority = 0 } = annotations
  if (!Array.isArray(audience) || !audience.every((one) => one === 'user' || one === 'assistant'))
    throw new TypeError(`${place}: audience must be a list of "user" and "assistant"`)
  numberBetween(`${place}: priority`, priority, 0, 1)
  listedTexts(place, annotations, ['lastModified'])
  return { ...annotations }
}

function checkedSize(owner: string, size: number): number {
  if (!Number.isSafeInteger(size) || size < 0)
    throw new TypeError(`${owner}: size must be a whole number of bytes`)
  return size
}

function checkedObject(place: string, value: JsonObject): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${place} must be an object`)
  return value
}
