import { literalText } from '../source-tree.mjs'

/** `['process', 'env']` for `process.env` and `process?.['env']`; empty when it begins with anything but a name. */
export function chain(node) {
  switch (node?.type) {
    case 'Identifier':
      return [node.name]
    case 'MemberExpression': {
      const start = chain(node.object)
      return start.length === 0 ? [] : [...start, memberName(node)]
    }
    case 'CallExpression':
      return chain(node.callee)
    case 'ChainExpression':
    case 'TSNonNullExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return chain(node.expression)
    default:
      return []
  }
}

/** The name of the member, when it is written down. */
export function memberName({ computed, property }) {
  return computed ? literalText(property) : property.name
}
