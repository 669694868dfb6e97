import { checkOptions } from '../core/options.ts'
import type { Icon, JsonObject, ListedResource } from './types.ts'

/**
 * What more stands in the list beside a component, as it goes over the wire.
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
    ...(annotations !== undefined && { annotations: { ...annotations } }),
    ...(size !== undefined && { size }),
    ...(meta !== undefined && { _meta: { ...meta } }),
  }
}

/** @throws TypeError when one is not a `https` or `data` URL */
export function checkedIcons(owner: string, icons: readonly Icon[]): readonly Icon[] {
  if (!Array.isArray(icons)) throw new TypeError(`${owner}: icons must be a list`)
  for (const icon of icons as readonly Partial<Icon>[]) {
    // MCP "Icons": clients refuse every other scheme, as it could run something.
    if (typeof icon?.src !== 'string' || !/^(?:https:\/\/|data:image\/)/.test(icon.src))
      throw new TypeError(`${owner}: the src of an icon must be a https: or data: URL`)
  }
  return icons.map((icon) => Object.freeze({ ...icon }))
}
