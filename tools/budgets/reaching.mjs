import { literalText, walk } from '../source-tree.mjs'
import { chain, memberName } from './names.mjs'

/** The same things under the names of modules. */
const modules = {
  console: { default: 'console', '*': 'console' },
  process: { env: 'process.env', exit: 'process.exit' },
}
const globals = new Set(['globalThis', 'global', 'window', 'self'])
/** Syntax of types that wraps a value; in all other syntax of types a name is no value. */
const wrappers = /^TS(?:As|Satisfies|NonNull|TypeAssertion|Instantiation)/

/** The console, the environment, the exit, the clock: only where they belong. */
export function checkReaching(source, reaching, report) {
  walk(source.program, (node, ancestors) => {
    for (const name of reached(node, ancestors.at(-1))) {
      if (!Object.hasOwn(reaching, name)) continue
      const { only, instead } = reaching[name]
      const allowed = only.some((path) =>
        path.endsWith('/') ? source.path.startsWith(path) : source.path === path,
      )
      if (!allowed) report(source, node, 'reaching', `${name} belongs to ${only.join(', ')}; ${instead}`)
    }
  })
}

/** The outside things one node names: `process.env`, `globalThis['process'].env`, `const { env } = process`, … */
function reached(node, parent) {
  switch (node.type) {
    case 'MemberExpression':
      return [outside(chain(node))]
    case 'Identifier':
      return isValue(node, parent) ? [node.name] : []
    case 'NewExpression':
      return node.arguments.length === 0 ? [`new ${outside(chain(node.callee))}()`] : []
    case 'CallExpression':
      return [`${outside(chain(node.callee))}()`]
    case 'VariableDeclarator':
      return destructured(node.id, chain(node.init))
    case 'ImportDeclaration':
      return node.importKind === 'type' ? [] : imported(node)
    default:
      return []
  }
}

function outside(names) {
  return names.slice(globals.has(names[0]) ? 1 : 0).join('.')
}

function destructured(pattern, owner) {
  if (pattern.type !== 'ObjectPattern' || owner.length === 0) return []
  return pattern.properties.flatMap(({ key, value, computed }) => {
    if (!key) return []
    const names = [...owner, memberName({ property: key, computed }) ?? literalText(key)]
    return [outside(names), ...destructured(value, names)]
  })
}

function imported({ source, specifiers }) {
  const module = source.value.replace(/^node:/, '')
  if (!Object.hasOwn(modules, module)) return []
  const names = modules[module]
  return specifiers.map((specifier) => names[specifier.imported?.name ?? 'default'] ?? names['*'] ?? '')
}

/** A name used as a value, not as the name of a member, a property, an import or a type. */
function isValue(node, parent) {
  switch (parent.type) {
    case 'MemberExpression':
      return parent.object === node || parent.computed
    case 'Property':
    case 'PropertyDefinition':
    case 'MethodDefinition':
      return parent.value === node || parent.computed
    case 'ImportSpecifier':
    case 'LabeledStatement':
      return false
    default:
      return !parent.type.startsWith('TS') || wrappers.test(parent.type)
  }
}
