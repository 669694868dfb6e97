/**
 * What the checks in this folder share: reading a tree of sources into syntax trees, walking them, and reporting.
 * The checks judge syntax, not text, so a word inside a string, a comment or a template is never mistaken for code.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parseSync, visitorKeys } from 'oxc-parser'

const repository = fileURLToPath(new URL('..', import.meta.url))
const extensions = /\.(?:[cm]?tsx?|[cm]?js)$/
/** Written by a tool of ours, from sources that are looked at. */
const madeByTools = /src\/server\/pages\/built\.ts/
const testFile = /\.test\.[cm]?[jt]sx?$/

/**
 * Runs a check as a command: `--root <dir>` chooses the tree, `--json` prints the findings for programs.
 * Exit code 0: nothing found; 1: findings; 2: the command was called wrongly, or there was nothing to check.
 *
 * @param name what the summary line begins with
 * @param check takes the root and gives `{ findings, checked }`, `checked` being what was looked at, in words
 */
export function runCheck(name, check) {
  const options = readArguments(name)
  if (options === undefined) return
  const root = resolve(options.root ?? repository)
  if (!existsSync(join(root, 'src')) || !existsSync(join(root, 'package.json'))) {
    // A check that looked at nothing must not pass.
    console.error(`${name}: ${root} holds no src folder with a package.json beside it`)
    process.exitCode = 2
    return
  }
  const { findings, checked } = check(root)
  findings.sort((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1))
  process.exitCode = findings.length > 0 ? 1 : 0
  if (options.json) console.log(JSON.stringify(findings, null, 2))
  else if (findings.length === 0) console.log(`${name}: ${checked}, nothing to say`)
  else {
    for (const { path, line, message } of findings) console.log(`${path}:${line}: ${message}`)
    console.log(`${name}: ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`)
  }
}

function readArguments(name) {
  try {
    return parseArgs({ options: { root: { type: 'string' }, json: { type: 'boolean' } } }).values
  } catch (error) {
    console.error(`${name}: ${error.message}\nusage: ${name} [--root <dir>] [--json]`)
    process.exitCode = 2
    return undefined
  }
}

/** `package.json` of a tree. */
export function readPackage(root) {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
}

/** All sources below a folder of the root, by path (`src/core/errors.ts`, with forward slashes everywhere). */
export function readSources(root, folder) {
  const start = join(root, folder)
  if (!existsSync(start)) return new Map()
  const paths = readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('node_modules') && !madeByTools.test(path))
    .map((path) => path.slice(resolve(root).length + 1).replaceAll('\\', '/'))
    .sort()
  return new Map(paths.map((path) => [path, readSource(root, path)]))
}

function readSource(root, path) {
  const text = readFileSync(join(root, path), 'utf8')
  const { program, comments, errors } = parseSync(path, text, { preserveParens: false })
  const lines = lineStarts(text)
  const codeBefore = countCodeLines(text, lines, comments)
  const lineAt = (offset) => lineOf(lines, offset)
  return {
    path,
    text,
    program,
    comments,
    errors,
    isTest: testFile.test(path),
    lineAt,
    /** Lines that hold code between two offsets, both lines included; blank and comment lines do not count. */
    codeLines: (start = 0, end = text.length) => codeBefore[lineAt(end)] - codeBefore[lineAt(start) - 1],
  }
}

function lineStarts(text) {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** The number of the line, from 1, that an offset is on. */
function lineOf(starts, offset) {
  let low = 0
  let high = starts.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (starts[middle] <= offset) low = middle
    else high = middle
  }
  return low + 1
}

/** For each line number, how many lines up to and including it hold code. */
function countCodeLines(text, starts, comments) {
  let code = ''
  let at = 0
  for (const { start, end } of comments) {
    code += text.slice(at, start) + text.slice(start, end).replace(/[^\n]/g, ' ')
    at = end
  }
  code += text.slice(at)
  const counts = [0]
  for (const [index, start] of starts.entries()) {
    const holdsCode = code.slice(start, starts[index + 1] ?? code.length).trim() !== ''
    counts.push(counts[index] + (holdsCode ? 1 : 0))
  }
  return counts
}

/** Calls `visit(node, ancestors)` for a node and everything in it, in the order of the text; nearest ancestor last. */
export function walk(node, visit, ancestors = []) {
  visit(node, ancestors)
  ancestors.push(node)
  for (const key of visitorKeys[node.type] ?? []) {
    for (const child of [node[key]].flat()) if (child) walk(child, visit, ancestors)
  }
  ancestors.pop()
}

/** A finding for each source that does not parse: nothing can be said of its contents. */
export function parseFindings(sources) {
  return [...sources.values()]
    .filter(({ errors }) => errors.length > 0)
    .map((source) =>
      finding(source, 0, 'syntax', `cannot be parsed: ${source.errors[0].message}; repair the syntax`),
    )
}

/** One thing that is wrong at an offset of a source, with what to do about it. */
export function finding(source, offset, rule, message) {
  return { rule, path: source.path, line: source.lineAt(offset), message }
}

/** The text of a string literal or of a template without holes; undefined for anything else. */
export function literalText(node) {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node?.type === 'TemplateLiteral' && node.quasis.length === 1) return node.quasis[0].value.cooked
  return undefined
}
