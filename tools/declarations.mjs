/** Where a name of a source file is declared, followed through imports and named re-exports. */
import { posix } from 'node:path'

const declaring = new Set([
  'FunctionDeclaration',
  'TSDeclareFunction',
  'ClassDeclaration',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSEnumDeclaration',
  'TSModuleDeclaration',
])

/** The public names of a package: for each subpath of `exports`, the source it is built from and what that exports. */
export function publicExports(manifest, sources) {
  const missing = []
  const names = []
  for (const [subpath, entry] of Object.entries(manifest.exports ?? {})) {
    const path = sourceOf(typeof entry === 'string' ? entry : (entry.default ?? ''))
    if (path === undefined) continue
    if (!sources.has(path)) missing.push({ subpath, path })
    else for (const name of exportedNames(sources, path)) names.push({ subpath, path, name })
  }
  return { missing, names }
}

/** `src/server/index.ts` for `./dist/server/index.js`; undefined for what is not built (`./package.json`). */
function sourceOf(built) {
  return /^\.\/dist\/.*\.js$/.test(built)
    ? built.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts')
    : undefined
}

/** All names a file exports, those of `export *` included. */
function exportedNames(sources, path, seen = new Set()) {
  if (!sources.has(path) || seen.has(path)) return []
  seen.add(path)
  const { exports, all } = readScope(sources.get(path))
  return [...exports.keys(), ...all.flatMap((from) => exportedNames(sources, from, seen))]
}

/** The statements that declare an exported name; empty when it comes from another package. */
export function declarationsOfExport(sources, path, name, seen = new Set()) {
  if (!sources.has(path) || seen.has(`${path} ${name}`)) return []
  seen.add(`${path} ${name}`)
  const { exports, all } = readScope(sources.get(path))
  const target = exports.get(name)
  if (target?.local) return declarationsOf(sources, path, target.local, seen)
  if (target) return declarationsOfExport(sources, target.from, target.name, seen)
  return all.flatMap((from) => declarationsOfExport(sources, from, name, seen))
}

/** The statements that declare a name as one file sees it. */
export function declarationsOf(sources, path, name, seen = new Set()) {
  const source = sources.get(path)
  const { declared, imports } = readScope(source)
  if (declared.has(name)) return declared.get(name).map((statement) => ({ source, statement }))
  const imported = imports.get(name)
  return imported ? declarationsOfExport(sources, imported.from, imported.name, seen) : []
}

const scopes = new WeakMap()

/** What the top level of a file declares, imports and exports. Read once. */
function readScope(source) {
  const known = scopes.get(source)
  if (known) return known
  const scope = { declared: new Map(), imports: new Map(), exports: new Map(), all: [] }
  scopes.set(source, scope)
  for (const statement of source.program.body) readStatement(scope, statement, source.path)
  return scope
}

function readStatement(scope, statement, path) {
  const from = statement.source ? posix.join(posix.dirname(path), statement.source.value) : undefined
  switch (statement.type) {
    case 'ImportDeclaration':
      for (const { local, imported, type } of statement.specifiers) {
        const name = type === 'ImportDefaultSpecifier' ? 'default' : imported && nameOf(imported)
        if (name !== undefined) scope.imports.set(local.name, { from, name })
      }
      break
    case 'ExportAllDeclaration':
      if (!statement.exported) scope.all.push(from)
      break
    case 'ExportNamedDeclaration':
      for (const name of declare(scope, statement.declaration, statement)) {
        scope.exports.set(name, { local: name })
      }
      for (const { local, exported } of statement.specifiers) {
        const target = from === undefined ? { local: nameOf(local) } : { from, name: nameOf(local) }
        scope.exports.set(nameOf(exported), target)
      }
      break
    case 'ExportDefaultDeclaration':
      scope.exports.set('default', { local: statement.declaration.name ?? 'default' })
      if (statement.declaration.type !== 'Identifier') scope.declared.set('default', [statement])
      break
    default:
      declare(scope, statement, statement)
  }
}

/** Notes what a declaration declares, and gives the names. `statement` is where its docstring stands. */
function declare(scope, declaration, statement) {
  const names =
    declaration?.type === 'VariableDeclaration'
      ? declaration.declarations.map(({ id }) => id.name).filter((name) => name !== undefined)
      : declaring.has(declaration?.type)
        ? [nameOf(declaration.id)]
        : []
  for (const name of names) scope.declared.set(name, [...(scope.declared.get(name) ?? []), statement])
  return names
}

function nameOf(node) {
  return node.name ?? node.value
}
