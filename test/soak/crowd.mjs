// A protected server for a crowd of principals, whose handlers watch that they are who they should be.

/** Finds the marks of principals in whatever was received. */
export const marks = /mark-\d\d-[0-9a-f]{8}/g

/** The name of the server: its port is another one each time. */
export const host = 'crowd.example'

/** People who differ in everything that can cross over: token, name, scope. */
export function people(count, random) {
  return Array.from({ length: count }, (_, n) => {
    const mark = `mark-${String(n).padStart(2, '0')}-${random.hex()}`
    return { n, mark, token: `token-${random.hex()}-${n}`, scope: `own:${n}` }
  })
}

/**
 * What handlers have seen. A fault is a crossing: somebody was taken for somebody else, or given up for nothing.
 */
export function ledger(onFault) {
  const started = new Set()
  const aborted = new Set()
  const waiting = new Map()
  const reach = (what) => {
    for (const go of waiting.get(what)?.splice(0) ?? []) go()
    waiting.delete(what)
  }
  const faults = []
  return {
    faults,
    fault(text) {
      faults.push(text)
      onFault(text)
    },
    /** Calls their client has left, or will leave. */
    left: new Set(),
    started,
    aborted,
    start(nonce) {
      started.add(nonce)
      reach(`start ${nonce}`)
    },
    abort(nonce) {
      aborted.add(nonce)
      reach(`abort ${nonce}`)
    },
    /** Resolves when a call has begun, or was aborted. */
    when(what, nonce) {
      if ((what === 'start' ? started : aborted).has(nonce)) return Promise.resolve()
      return new Promise((resolve) => {
        const key = `${what} ${nonce}`
        waiting.set(key, [...(waiting.get(key) ?? []), resolve])
      })
    },
  }
}

/**
 * @param library `{ MCPServer, getAccessToken, ToolError }`
 * @param crowd what {@link people} made
 * @param book what {@link ledger} made
 */
export function crowdServer({ MCPServer, getAccessToken, ToolError }, crowd, book, http = {}) {
  const byToken = new Map(crowd.map((person) => [person.token, person]))
  const auth = {
    async verifyToken(token) {
      const person = byToken.get(token)
      // As if somebody else had to be asked.
      await new Promise((resolve) => setImmediate(resolve))
      if (!person) return null
      return { token, claims: { sub: person.mark, iss: 'https://id.example' }, scopes: ['use', person.scope] }
    },
  }
  const server = new MCPServer(
    { name: 'crowd', auth, logger: () => {} },
    { sessions: false, allowedHosts: [host], stateKey: 'one key for this server, for a while', ...http },
  )
  const watch = watcher(getAccessToken, book)
  addWork(server, watch, book)
  addHang(server, watch, book)
  for (const { n, mark, scope } of crowd) server.tool(`own_${n}`, { scopes: [scope] }, () => mark)
  addSmall(server, watch, ToolError)
  return server
}

/** Looks whether a handler is still the one it began as. */
function watcher(getAccessToken, book) {
  const said = (mark, where, what) => book.fault(`${where}: ${what} in a call of ${mark}`)
  return {
    /** @returns who calls */
    now(ctx, where, { id, nonce } = {}) {
      const mark = ctx.auth?.subject
      const ambient = getAccessToken()?.subject
      if (ambient !== mark) said(mark, where, `ambient ${ambient}`)
      if (id !== undefined && ctx.requestId !== id) said(mark, where, `id ${ctx.requestId}, not ${id}`)
      if (nonce !== undefined && ctx.signal.aborted && !book.left.has(nonce))
        said(mark, where, 'an abort nobody asked for')
      return mark
    },
    /** What the protocol engine's context says of the caller. */
    engine(ctx, where, { id } = {}) {
      const mark = ctx.auth?.subject
      const { mcpReq, http } = ctx.mcp
      if (http?.authInfo?.extra?.sub !== mark) said(mark, where, `authInfo ${http?.authInfo?.extra?.sub}`)
      if (JSON.stringify(http?.authInfo).includes('token-') || http?.req?.headers.has('authorization'))
        said(mark, where, 'a credential')
      if (id !== undefined && mcpReq.id !== id) said(mark, where, `engine id ${mcpReq.id}, not ${id}`)
    },
    /** In a callback of somebody's: of the caller's, or of nobody's. */
    callback(ctx, where) {
      const ambient = getAccessToken()?.subject
      if (ambient !== undefined && ambient !== ctx.auth?.subject)
        said(ctx.auth?.subject, where, `ambient ${ambient}`)
    },
  }
}

/** Promises that are settled from the timer of whoever came first: of somebody else. */
const meeting = []
function meet() {
  return new Promise((resolve) => {
    meeting.push(resolve)
    if (meeting.length === 1) setTimeout(() => meeting.splice(0).forEach((go) => void go()), 1)
  })
}

const waits = {
  tick: () => Promise.resolve(),
  next: () => new Promise((resolve) => process.nextTick(resolve)),
  immediate: () => new Promise((resolve) => setImmediate(resolve)),
  timer: () => new Promise((resolve) => setTimeout(resolve, 1)),
  meet,
}
/** What a call can be made of. */
export const steps = [...Object.keys(waits), 'progress', 'log']

/** Anything is taken: what has to be right is said by the caller, and looked at. */
const loose = {
  '~standard': {
    version: 1,
    vendor: 'soak',
    validate: (value) => ({ value }),
    jsonSchema: { input: () => ({ type: 'object' }), output: () => ({ type: 'object' }) },
  },
}

function addWork(server, watch) {
  server.tool('work', { inputSchema: loose }, async (args, ctx) => {
    const mark = watch.now(ctx, 'before', args)
    watch.engine(ctx, 'before', args)
    let sent = 0
    for (const step of args.steps) {
      if (step === 'progress') await ctx.progress(++sent, 100, mark)
      else if (step === 'log') await ctx.log('error', { mark, nonce: args.nonce })
      else await waits[step]()
      watch.now(ctx, step, args)
    }
    return { mark, nonce: args.nonce }
  })
}

/** Ends when its caller leaves, and no sooner. */
function addHang(server, watch, book) {
  server.tool('hang', { inputSchema: loose }, async (args, ctx) => {
    const mark = watch.now(ctx, 'before', args)
    if (args.tell) await ctx.progress(1, 2, mark)
    const gone = new Promise((resolve) => {
      const note = () => {
        watch.callback(ctx, 'on abort')
        resolve(undefined)
      }
      if (ctx.signal.aborted) note()
      else ctx.signal.addEventListener('abort', note, { once: true })
    })
    book.start(args.nonce)
    await gone
    watch.now(ctx, 'after', args)
    watch.engine(ctx, 'after', args)
    book.abort(args.nonce)
    return { mark, nonce: args.nonce }
  })
}

function addSmall(server, watch, ToolError) {
  server.tool('client', {}, (_args, ctx) => ({
    mark: watch.now(ctx, 'client'),
    says: ctx.clientCapabilities,
  }))
  server.tool('fail', {}, async (_args, ctx) => {
    await meet()
    throw new ToolError(`not for ${watch.now(ctx, 'fail')}`)
  })
  server.tool('ask', {}, async (_args, ctx) => {
    await meet()
    const mark = watch.now(ctx, 'ask')
    const { content } = await ctx.elicit({ message: `Who is ${mark}?`, schema: { type: 'object' } })
    return { mark: watch.now(ctx, 'asked'), content }
  })
  const complete = { nonce: (value, { auth }) => [`${value}-${auth?.subject}`] }
  server.resource('vault://{nonce}', { complete }, async ({ nonce }, ctx) => {
    await meet()
    return { mark: watch.now(ctx, 'read'), nonce }
  })
  server.prompt('me', {}, async (_args, ctx) => {
    await meet()
    return `I am ${watch.now(ctx, 'prompt')}`
  })
}
