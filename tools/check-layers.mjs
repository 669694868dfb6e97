/**
 * Holds the rooms and arrows of the house: who in `src` may import whom.
 *
 * Why it exists: a security package stays reviewable only while each part can be read with nothing but the floors
 * below it in mind. An arrow upward or sideways is easily written and hardly seen in review, types included, and
 * one is enough to pull the server into every client. See docs/decisions/0001-one-package-rooms-and-arrows.md.
 *
 * usage: node tools/check-layers.mjs [--root <dir>] [--json]
 */
import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import {
  finding,
  literalText,
  parseFindings,
  readPackage,
  readSources,
  runCheck,
  walk,
} from './source-tree.mjs'

/** The house. An import goes to a lower floor, or stays in its room. */
const floors = {
  core: 0,
  issuer: 1,
  apikeys: 1,
  verify: 2,
  http: 3,
  client: 3,
  server: 4,
  gateway: 5,
  inspector: 5,
  cli: 6,
}
/** Beside the house: nothing imports it, and it imports these. */
const beside = { testing: ['core', 'apikeys', 'verify', 'client'] }
/** `src/index.ts`, the entrance for everybody, shows the floors up to this one. */
const entranceFloor = floors.http
/** Optional peers, and the files that may import each. A peer without a file is imported by nobody yet. */
const optionalPeers = {
  express: ['src/http/adapters/express.ts'],
  hono: ['src/http/adapters/hono.ts'],
  pg: ['src/apikeys/stores/postgres-driver-pg.ts'],
  postgres: ['src/apikeys/stores/postgres-driver-js.ts'],
  '@photostructure/sqlite': ['src/apikeys/stores/sqlite-driver.ts'],
  '@opentelemetry/api': [],
}
/** Libraries that a build puts into a program of ours, so that nobody has to install them, and the folders of those programs. */
const bundled = { preact: 'src/inspector/page/', '@preact/signals': 'src/inspector/page/' }
/** `core` does no input or output: of the platform it takes this much. */
const builtinsOfCore = ['node:crypto']

runCheck('layers', (root) => {
  const manifest = readPackage(root)
  const sources = readSources(root, 'src')
  const findings = parseFindings(sources)
  const arrows = [...sources.values()].flatMap((source) => readArrows(source))
  for (const source of sources.values()) {
    if (roomOf(source.path) === undefined) findings.push(homeless(source))
  }
  for (const arrow of arrows) {
    const complaint = judge(arrow, manifest)
    if (complaint) findings.push(finding(arrow.source, arrow.offset, ...complaint))
  }
  findings.push(...findCycles(sources, arrows))
  return { findings, checked: `${arrows.length} imports in ${sources.size} files` }
})

/** Every import of a file: static, type, re-export, dynamic, `import('…')` in a type, `require`. */
function readArrows(source) {
  const arrows = []
  walk(source.program, (node) => {
    const arrow = arrowOf(node)
    if (arrow) arrows.push({ source, offset: node.start, ...arrow })
  })
  return arrows
}

function arrowOf(node) {
  switch (node.type) {
    case 'ImportDeclaration':
      // `import { type A }` without the outer `type` still runs the module (verbatimModuleSyntax).
      return { to: node.source.value, runs: node.importKind !== 'type' }
    case 'ExportNamedDeclaration':
      return node.source ? { to: node.source.value, runs: node.exportKind !== 'type' } : undefined
    case 'ExportAllDeclaration':
      return { to: node.source.value, runs: node.exportKind !== 'type', all: true }
    case 'ImportExpression':
      return { to: literalText(node.source), computed: literalText(node.source) === undefined }
    case 'TSImportType':
      return { to: literalText(node.source) }
    case 'TSExternalModuleReference':
      return { to: literalText(node.expression), runs: true }
    case 'TSModuleDeclaration':
      return node.id.type === 'Literal' ? { to: node.id.value } : undefined
    case 'CallExpression':
      return node.callee.name === 'require' && literalText(node.arguments[0]) !== undefined
        ? { to: literalText(node.arguments[0]), runs: true }
        : undefined
    default:
      return undefined
  }
}

function homeless(source) {
  const rooms = Object.keys(floors).join(', ')
  const message = `belongs to no room; move it into one of ${rooms}, or give its room a floor in tools/check-layers.mjs`
  return finding(source, 0, 'room', message)
}

function judge(arrow, manifest) {
  const room = roomOf(arrow.source.path)
  if (arrow.computed) {
    return arrow.source.isTest || room === 'cli'
      ? undefined
      : ['computed', 'imports a module by a computed name, which no check can follow; write the name out']
  }
  const complaint = /^\.{1,2}(?:\/|$)/.test(arrow.to)
    ? judgeRelative(arrow, room)
    : judgeBare(arrow, room, manifest)
  if (complaint || !arrow.all) return complaint
  return ['export-all', '`export *` makes exports nobody decided on; name what is exported']
}

function judgeRelative({ source, to }, from) {
  const target = targetOf(source, to)
  if (!target.startsWith('src/')) {
    return ['outside', `imports ${to}, which is outside src; only what is in src is shipped`]
  }
  const room = roomOf(target)
  if (from === undefined || room === undefined || room === from) return undefined
  if (room === 'testing') {
    return ['layer', 'imports testing, which nothing in src imports; a test that needs it belongs in test/']
  }
  if (room === 'index') {
    return ['layer', 'imports src/index.ts, the entrance for users; import the file that holds the word']
  }
  if (Object.hasOwn(beside, from)) {
    return beside[from].includes(room)
      ? undefined
      : ['layer', `${from} imports ${room}; it may import ${beside[from].join(', ')} only`]
  }
  return judgeFloors(from, room, source.isTest)
}

function judgeFloors(from, room, isTest) {
  if (from === 'index') {
    return floors[room] <= entranceFloor
      ? undefined
      : [
          'layer',
          `src/index.ts shows ${room}, which is above floor ${entranceFloor}; give it a subpath of its own`,
        ]
  }
  const names = `${from} (floor ${floors[from]}) imports ${room} (floor ${floors[room]})`
  if (floors[room] > floors[from]) {
    return ['layer', `${names}: an import goes down only; move what is shared down, or what needs it up`]
  }
  if (floors[room] === floors[from] && !isTest) {
    return ['layer', `${names}: an import never goes sideways; move what is shared to a lower floor`]
  }
  return undefined
}

function judgeBare({ source, to }, room, manifest) {
  const name = packageName(to)
  if (name === manifest.name) {
    return ['own-name', `imports the package by its own name (${to}); use a relative path`]
  }
  if (to.startsWith('node:') || isBuiltin(to)) return judgeBuiltin(source, to, room)
  if (Object.hasOwn(bundled, name) && source.path.startsWith(bundled[name])) return undefined
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
  if (source.isTest) declared.push(...Object.keys(manifest.devDependencies ?? {}))
  else if (Object.hasOwn(optionalPeers, name) || manifest.peerDependenciesMeta?.[name]?.optional) {
    const allowed = optionalPeers[name] ?? []
    if (!allowed.includes(source.path)) {
      return [
        'peer',
        `imports the optional peer ${name}, allowed in ${allowed.join(', ') || 'no file'}; load it there, or name this file in tools/check-layers.mjs`,
      ]
    }
  }
  return declared.includes(name)
    ? undefined
    : ['undeclared', `imports ${name}, which package.json does not declare; declare it, or do without`]
}

function judgeBuiltin(source, to, room) {
  return room === 'core' && !source.isTest && !builtinsOfCore.includes(to)
    ? [
        'core-builtin',
        `core imports ${to}; it does no input or output, so take what is needed as an argument`,
      ]
    : undefined
}

/** Cycles of modules that run each other: what an import sees then depends on who was loaded first. */
function findCycles(sources, arrows) {
  const edges = new Map([...sources.keys()].map((path) => [path, []]))
  for (const { source, to, runs, offset } of arrows) {
    const target = runs && to.startsWith('.') ? targetOf(source, to) : undefined
    if (sources.has(target)) edges.get(source.path).push({ target, source, offset })
  }
  const findings = []
  const done = new Set()
  const trail = []
  const follow = (path) => {
    trail.push(path)
    for (const { target, source, offset } of edges.get(path)) {
      if (trail.includes(target)) {
        const cycle = [...trail.slice(trail.indexOf(target)), target].join(' → ')
        findings.push(
          finding(source, offset, 'cycle', `closes a cycle: ${cycle}; move what both need to a third file`),
        )
      } else if (!done.has(target)) follow(target)
    }
    trail.pop()
    done.add(path)
  }
  for (const path of sources.keys()) if (!done.has(path)) follow(path)
  return findings
}

/** The file a relative import means; `./x.js` is written for `./x.ts` by some, and means the same file. */
function targetOf(source, to) {
  return posix.join(posix.dirname(source.path), to).replace(/\.([cm]?)js$/, '.$1ts')
}

/** `core` for `src/core/errors.ts`, `index` for `src/index.ts`; undefined for what is in no room. */
function roomOf(path) {
  const [, room, ...rest] = path.split('/')
  if (rest.length === 0) return /^index\.(?:test\.)?ts$/.test(room) ? 'index' : undefined
  return Object.hasOwn(floors, room) || Object.hasOwn(beside, room) ? room : undefined
}

function packageName(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
