import { walk } from '../source-tree.mjs'
import { chain, memberName } from './names.mjs'

const suppression =
  /@ts-(?:ignore|expect-error|nocheck)|biome-ignore|(?:eslint|oxlint)-disable|(?:c8|v8|istanbul) ignore/
const runners = new Set(['it', 'test', 'describe', 'suite', 'bench'])
const idleModifiers = new Set(['skip', 'only', 'todo', 'fails', 'skipIf', 'runIf'])
const idleRunners = new Set(['xit', 'xtest', 'xdescribe', 'fit', 'ftest', 'fdescribe', 'skip'])
const testContexts = new Set(['ctx', 'context', 'task', 't'])

/** No `any`, no suppression, no test that does not run: in sources and tests alike. */
export function checkHonesty(source, report) {
  for (const comment of source.comments) {
    const found = suppression.exec(comment.value)?.[0]
    if (found) report(source, comment, 'suppression', `holds ${found}; repair what it hides`)
  }
  walk(source.program, (node) => {
    if (node.type === 'TSAnyKeyword') {
      report(source, node, 'any', 'any switches the compiler off; name the type, or use unknown')
    }
    const idle = idleTest(node)
    if (idle)
      report(source, node, 'idle-test', `${idle} keeps tests from running; run them all, or delete it`)
  })
}

/** `it.skip`, `describe.concurrent.only`, `xit()`, `it('…', { todo: true }, …)`, and `skip()` of the test context. */
function idleTest(node) {
  if (node.type === 'MemberExpression') {
    const modifier = memberName(node)
    return idleModifiers.has(modifier) && runners.has(chain(node)[0]) ? modifier : undefined
  }
  if (node.type !== 'CallExpression') return undefined
  const called = chain(node.callee)
  if (called.length === 1 && idleRunners.has(called[0])) return called[0]
  if (called.length === 2 && testContexts.has(called[0]) && called[1] === 'skip') return called.join('.')
  if (!runners.has(called[0])) return undefined
  return node.arguments
    .flatMap((argument) => (argument.type === 'ObjectExpression' ? argument.properties : []))
    .map(({ key }) => key?.name)
    .find((name) => idleModifiers.has(name))
}
