import { declarationsOf } from '../declarations.mjs'
import { walk } from '../source-tree.mjs'

/** Types called `…Options` are flat and small: somebody has to read them all. */
export function checkOptionTypes(sources, source, limit, report) {
  walk(source.program, (node) => {
    if (node.type !== 'TSInterfaceDeclaration' && node.type !== 'TSTypeAliasDeclaration') return
    if (!node.id.name.endsWith('Options')) return
    const count = new Set(memberNames(sources, source, node)).size
    if (count > limit) {
      const message = `${node.id.name} has ${count} options; at most ${limit}: leave some out, or split it`
      report(source, node, 'options', message)
    }
    walk(node, (inner, ancestors) => {
      if (inner.type !== 'TSTypeLiteral' || !isInsideMember(ancestors)) return
      report(source, inner, 'options', `${node.id.name} holds an object inside an object; options are flat`)
    })
  })
}

/** Inside the type of a member, and not in the parameters or the result of a function. */
function isInsideMember(ancestors) {
  const types = ancestors.map(({ type }) => type)
  return (
    types.includes('TSPropertySignature') &&
    !types.includes('TSFunctionType') &&
    !types.includes('TSMethodSignature')
  )
}

/** The members of a type with the inherited ones, as far as they are written down in these sources. */
function memberNames(sources, source, type) {
  switch (type?.type) {
    case 'TSInterfaceDeclaration': {
      const inherited = type.extends.map(({ expression }) => named(sources, source, expression.name))
      return [...type.body.body.map(keyName), ...inherited.flat()]
    }
    case 'TSTypeAliasDeclaration':
      return memberNames(sources, source, type.typeAnnotation)
    case 'TSTypeLiteral':
      return type.members.map(keyName)
    case 'TSIntersectionType':
    case 'TSUnionType':
      return type.types.flatMap((part) => memberNames(sources, source, part))
    case 'TSTypeReference':
      return /^(?:Readonly|Partial|Required)$/.test(type.typeName.name)
        ? memberNames(sources, source, type.typeArguments?.params[0])
        : named(sources, source, type.typeName.name)
    default:
      return []
  }
}

function named(sources, source, name) {
  return declarationsOf(sources, source.path, name).flatMap((found) =>
    memberNames(sources, found.source, found.statement.declaration ?? found.statement),
  )
}

function keyName({ key, start }) {
  return key?.name ?? key?.value ?? `at ${start}`
}
