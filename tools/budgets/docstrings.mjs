import { declarationsOfExport, publicExports } from '../declarations.mjs'
import { finding } from '../source-tree.mjs'

/** Whatever a user can import says what it is: the findings. */
export function checkDocstrings(manifest, sources) {
  const { missing, names } = publicExports(manifest, sources)
  const findings = missing.map(({ subpath, path }) => ({
    rule: 'missing-entry',
    path: 'package.json',
    line: 1,
    message: `exports ${subpath}, and ${path} does not exist; write it, or take it out of exports`,
  }))
  const told = new Set()
  for (const { subpath, path, name } of names) {
    const found = declarationsOfExport(sources, path, name)
    if (found.length === 0 || found.some(hasDocstring) || told.has(found[0].statement)) continue
    const { source, statement } = found[0]
    told.add(statement)
    const message = `${name}, exported from ${subpath}, has no docstring; say what it is`
    findings.push(finding(source, statement.start, 'docstring', message))
  }
  return findings
}

/** A block comment of two stars right before the statement. */
function hasDocstring({ source, statement }) {
  const before = source.comments.findLast(({ end }) => end <= statement.start)
  return (
    before?.type === 'Block' &&
    /^\*[\s*]*[^\s*]/.test(before.value) &&
    source.text.slice(before.end, statement.start).trim() === ''
  )
}
