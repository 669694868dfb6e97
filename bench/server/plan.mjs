// Which servers are measured, with which requests. A row is one line of the tables; it may need several servers, because
// tools/call and resources/read are measured with one tool, and tools/list with 100.

const both = ['stateless', 'modern']
const all = ['session', 'stateless', 'modern']

const cross = (revisions, operations) =>
  revisions.flatMap((revision) => operations.map((operation) => ({ revision, operation })))

/** Rows, in the order of the tables. `from` is the folder of competitors, which may be missing. */
export const rows = {
  echo: { title: 'bare node:http echo, no token', kind: 'echo' },
  ours: { title: 'mcp-bearer, RS256', kind: 'mcp-bearer', verifier: 'jwt' },
  trivial: { title: 'mcp-bearer, trivial verifier', kind: 'mcp-bearer', verifier: 'trivial' },
  open: { title: 'mcp-bearer, no auth', kind: 'mcp-bearer', verifier: 'none' },
  sdk: { title: 'bare SDK, jose', kind: 'sdk' },
  tmcp: { title: 'tmcp, jose', kind: 'tmcp', isCompetitor: true },
  fastmcp: { title: 'fastmcp, jose', kind: 'fastmcp', isCompetitor: true },
}

/**
 * The servers. Two processes of one program differ by some percent for their whole life; so those whose ratios are
 * wanted to be small run in several `instances`.
 */
export const servers = [
  { row: 'echo', instances: 3, cells: cross(both, ['call']) },
  { row: 'ours', tools: 1, instances: 3, cells: cross(both, ['call', 'read']) },
  { row: 'ours', tools: 10, cells: cross(both, ['call']) },
  { row: 'ours', tools: 100, cells: cross(both, ['call', 'list']) },
  { row: 'ours', tools: 1000, instances: 3, cells: cross(both, ['call']) },
  { row: 'ours', tools: 1, sessions: true, cells: cross(['session'], ['call', 'read']) },
  { row: 'ours', tools: 100, sessions: true, cells: cross(['session'], ['list']) },
  { row: 'trivial', tools: 1, cells: cross(both, ['call', 'read']) },
  { row: 'trivial', tools: 100, cells: cross(both, ['list']) },
  { row: 'open', tools: 1, instances: 2, cells: cross(both, ['call']) },
  { row: 'sdk', tools: 1, cells: cross(both, ['call', 'read']) },
  { row: 'sdk', tools: 100, cells: cross(both, ['list']) },
  { row: 'tmcp', tools: 1, cells: cross(all, ['call', 'read']) },
  { row: 'tmcp', tools: 100, cells: cross(all, ['list']) },
  { row: 'fastmcp', tools: 1, cells: cross(['stateless'], ['call', 'read']) },
  { row: 'fastmcp', tools: 100, cells: cross(['stateless'], ['list']) },
  { row: 'fastmcp', tools: 1, sessions: true, cells: cross(['session'], ['call', 'read']) },
  { row: 'fastmcp', tools: 100, sessions: true, cells: cross(['session'], ['list']) },
]

/** Why there is no number, where the reason is known before. */
export const notOffered = {
  'sdk session': 'createMcpHandler has no sessions',
  'fastmcp modern': 'fastmcp does not speak 2026-07-28',
}

/** Rows that are started cold, and whose memory is looked at; with the newest revision they speak. */
export const starters = [
  { row: 'echo', revision: 'modern' },
  { row: 'ours', revision: 'modern' },
  { row: 'sdk', revision: 'modern' },
  { row: 'tmcp', revision: 'modern' },
  { row: 'fastmcp', revision: 'stateless' },
]

/**
 * How long everything takes. The warm-up is that of each process; the SDK looks twice as slow before it. A round that
 * would not end within `budgetMs` from the start is left out: on a busy machine the numbers get worse, not later.
 */
export const paces = {
  full: {
    budgetMs: 335_000,
    rounds: 8,
    sampleMs: 250,
    warmUpMs: 12_000,
    manyInstances: true,
    starts: 7,
    memoryProcesses: 3,
  },
  quick: {
    budgetMs: 40_000,
    rounds: 2,
    sampleMs: 60,
    warmUpMs: 600,
    manyInstances: false,
    starts: 1,
    memoryProcesses: 1,
  },
}
