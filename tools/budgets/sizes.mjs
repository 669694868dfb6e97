import { walk } from '../source-tree.mjs'

const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const nesting = new Set([
  'IfStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
  'SwitchStatement',
  'TryStatement',
])

/** Files, adapters, functions, nesting. */
export function checkSizes(source, limits, report) {
  const isAdapter = source.path.startsWith('src/http/adapters/')
  const limit = isAdapter ? limits.adapterLines : limits.fileLines
  const size = source.codeLines()
  if (size > limit) {
    const name = isAdapter ? 'an adapter' : 'a file'
    report(source, source.program, 'file', `${size} lines of code; ${name} has at most ${limit}: split it`)
  }
  walk(source.program, (node, ancestors) => {
    const lines = functions.has(node.type) ? source.codeLines(node.start, node.end) : 0
    if (lines > limits.functionLines) {
      const message = `a function of ${lines} lines of code; at most ${limits.functionLines}: split it`
      report(source, node, 'function', message)
    }
    // What lies deeper still is not told again: it goes away with the first.
    if (isNesting(node, ancestors.at(-1)) && depth([...ancestors, node]) === limits.nesting + 1) {
      const message = `nested ${limits.nesting + 1} deep; at most ${limits.nesting}: leave early, or make it a function`
      report(source, node, 'nesting', message)
    }
  })
}

function depth(line) {
  return line.filter((node, index) => isNesting(node, line[index - 1])).length
}

/** `else if` is a further case of the same decision, not a deeper one. */
function isNesting(node, parent) {
  return nesting.has(node.type) && !(parent?.type === 'IfStatement' && parent.alternate === node)
}
