// What a crowd asks, and what each answer has to be. Ids, progress tokens and sockets are everybody's; answers are not.
import { marks, steps } from './crowd.mjs'
import { bytesOf } from './wire.mjs'

const ids = [1, 2, 3, 'a', '1', 0]
const progressTokens = ['p', 1, undefined]
const meta = 'io.modelcontextprotocol/'

/**
 * One random thing that somebody does.
 *
 * @param world `{ crowd, book, net, random, fault, count }`
 * @returns how many requests it was
 */
export function visit(world) {
  const pick = world.random.below(100)
  for (const [share, run] of visits) if (pick < share) return run(world)
  return working(world)
}

/** Cumulative, of a hundred; the rest works. */
const visits = [
  [10, leaving],
  [14, pipelining],
  [20, listing],
  [28, owning],
  [34, reading],
  [38, prompting],
  [42, completing],
  [46, telling],
  [50, asking],
  [53, failing],
  [56, cancellingOthers],
  [59, answeringOthers],
  [62, halfClosing],
]

/** A request of somebody, and what is known of it. */
function requestOf({ crowd, random }, method, params = {}, who = random.one(crowd)) {
  const isModern = random.percent(50)
  const id = random.one(ids)
  const progressToken = random.one(progressTokens)
  const wantsLog = !isModern || random.percent(50)
  const version = isModern ? '2026-07-28' : '2025-11-25'
  const _meta = {
    ...(progressToken !== undefined && { progressToken }),
    ...(isModern && {
      [`${meta}protocolVersion`]: version,
      [`${meta}clientInfo`]: { name: who.mark, version: '1' },
      [`${meta}clientCapabilities`]: { elicitation: {}, experimental: { [who.mark]: {} } },
      ...(wantsLog && { [`${meta}logLevel`]: 'info' }),
    }),
  }
  const name = params.name ?? params.uri
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${who.token}`,
    'mcp-protocol-version': version,
    ...(isModern && { 'mcp-method': method, ...(name !== undefined && { 'mcp-name': name }) }),
  }
  const filled = params.arguments && { ...params, arguments: { ...params.arguments, id } }
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...(filled ?? params), _meta } })
  return { who, id, progressToken, wantsLog, isModern, bytes: bytesOf({ headers, body }) }
}

async function asked(world, request) {
  const wire = world.net.take()
  const answer = await wire.ask(request.bytes)
  world.net.give(wire)
  return answer
}

/** Everything in an answer is its caller's, and it is one answer, under the id that was sent. */
function judge(world, request, answer, { status = 200, notes = 0, what = '' } = {}) {
  const { who, id, progressToken } = request
  const say = (problem) => {
    world.fault(`${what}: ${problem}; asked by ${who.mark} with id ${id}; got ${answer.text}`)
  }
  for (const mark of answer.text.match(marks) ?? []) if (mark !== who.mark) say(`holds ${mark}`)
  if (answer.status !== status) return say(`status ${answer.status}, not ${status}`)
  if (status !== 200) return undefined
  const final = answer.messages.at(-1)
  if (final === undefined || !('result' in final || 'error' in final)) return say('has no answer at its end')
  if (final.id !== id) say(`id ${JSON.stringify(final.id)}`)
  const others = answer.messages.slice(0, -1)
  if (others.length !== notes) say(`${others.length} notifications, not ${notes}`)
  for (const { method, id: other, params } of others) {
    if (other !== undefined || !method?.startsWith('notifications/')) say(`holds another answer`)
    if (method === 'notifications/progress' && params.progressToken !== progressToken) say('a progress token')
  }
  return final.result
}

function nonceOf({ random }) {
  return `${random.hex()}${random.hex()}`
}

function workOf(world, who) {
  const nonce = nonceOf(world)
  const made = world.random.many(steps, 6)
  const request = requestOf(world, 'tools/call', { name: 'work', arguments: { nonce, steps: made } }, who)
  const told = made.filter((step) => step === 'progress').length
  const logged = made.filter((step) => step === 'log').length
  const notes = (request.progressToken === undefined ? 0 : told) + (request.wantsLog ? logged : 0)
  return { ...request, nonce, notes }
}

function judgeWork(world, request, answer, what) {
  const result = judge(world, request, answer, { notes: request.notes, what })
  const { mark, nonce } = result?.structuredContent ?? {}
  if (result && (mark !== request.who.mark || nonce !== request.nonce))
    world.fault(`${what}: got ${answer.text}`)
}

async function working(world) {
  const request = workOf(world)
  judgeWork(world, request, await asked(world, request), 'work')
  return 1
}

/** Several people behind one proxy, one right behind the other on one connection. */
async function pipelining(world) {
  const { net, random } = world
  const requests = Array.from({ length: 2 + random.below(4) }, () => workOf(world))
  const wire = net.take()
  const answers = await Promise.all(requests.map((request) => wire.ask(request.bytes)))
  net.give(wire)
  for (const [at, answer] of answers.entries()) judgeWork(world, requests[at], answer, 'pipelined')
  return requests.length
}

/** Says that nothing more comes, and reads what does. */
async function halfClosing(world) {
  const request = workOf(world)
  world.book.left.add(request.nonce)
  const wire = world.net.take()
  const answer = wire.ask(request.bytes)
  wire.finish()
  const { status, text } = await answer
  for (const mark of text.match(marks) ?? [])
    if (mark !== request.who.mark)
      world.fault(`half closed: ${mark} in what ${request.who.mark} got: ${status} ${text}`)
  return 1
}

/** Goes away in the middle: before it is heard, while it is carried out, or when something has come. */
async function leaving(world) {
  const { book, random } = world
  const nonce = nonceOf(world)
  const when = random.one(['unheard', 'begun', 'begun', 'told', 'told', 'written'])
  const request = requestOf(world, 'tools/call', {
    name: 'hang',
    arguments: { nonce, tell: when === 'told' },
  })
  book.left.add(nonce)
  const wire = world.net.take()
  const answer = when === 'unheard' ? undefined : wire.ask(request.bytes)
  if (answer) answer.then((early) => leftWith(world, request, early))
  else wire.write(request.bytes.slice(0, -random.below(60) - 1))
  if (when === 'written') await new Promise((resolve) => setImmediate(resolve))
  if (when === 'begun' || when === 'told') await Promise.race([book.when('start', nonce), answer])
  if (when === 'told' && request.progressToken !== undefined) await wire.something()
  const rest = wire.rest()
  wire.cut()
  leftWith(world, request, { text: rest, status: 0 })
  if (book.started.has(nonce)) await book.when('abort', nonce)
  return 1
}

function leftWith(world, { who }, { text, status }) {
  if (status !== 0) world.fault(`left: there was an answer: ${text}`)
  for (const mark of text.match(marks) ?? [])
    if (mark !== who.mark) world.fault(`left: ${mark} in what ${who.mark} got: ${text}`)
}

async function listing(world) {
  const request = requestOf(world, 'tools/list')
  const result = judge(world, request, await asked(world, request), { what: 'list' })
  const own = result?.tools.map(({ name }) => name).filter((name) => name.startsWith('own_'))
  if (result && String(own) !== `own_${request.who.n}`) world.fault(`list: ${own} for ${request.who.mark}`)
  return 1
}

/** One's own tool, and somebody else's. */
async function owning(world) {
  const { crowd, random } = world
  const who = random.one(crowd)
  const whose = random.percent(50) ? who : random.one(crowd)
  const request = requestOf(world, 'tools/call', { name: `own_${whose.n}` }, who)
  judge(world, request, await asked(world, request), { status: whose === who ? 200 : 403, what: 'own' })
  return 1
}

async function reading(world) {
  const nonce = nonceOf(world)
  const request = requestOf(world, 'resources/read', { uri: `vault://${nonce}` })
  const result = judge(world, request, await asked(world, request), { what: 'read' })
  expectText(world, result?.contents[0].text, JSON.stringify({ mark: request.who.mark, nonce }))
  return 1
}

async function prompting(world) {
  const request = requestOf(world, 'prompts/get', { name: 'me' })
  const result = judge(world, request, await asked(world, request), { what: 'prompt' })
  expectText(world, result?.messages[0].content.text, `I am ${request.who.mark}`)
  return 1
}

async function completing(world) {
  const value = nonceOf(world)
  const params = { ref: { type: 'ref/resource', uri: 'vault://{nonce}' }, argument: { name: 'nonce', value } }
  const request = requestOf(world, 'completion/complete', params)
  const result = judge(world, request, await asked(world, request), { what: 'completion' })
  expectText(world, result?.completion.values[0], `${value}-${request.who.mark}`)
  return 1
}

/** What a client says of itself is said for one request. */
async function telling(world) {
  const request = requestOf(world, 'tools/call', { name: 'client' })
  const result = judge(world, request, await asked(world, request), { what: 'client' })
  const said = result && Object.keys(result.structuredContent.says.experimental ?? {})
  if (said && String(said) !== (request.isModern ? request.who.mark : '')) world.fault(`client: says ${said}`)
  return 1
}

async function failing(world) {
  const request = requestOf(world, 'tools/call', { name: 'fail' })
  const result = judge(world, request, await asked(world, request), { what: 'fail' })
  expectText(world, result?.content[0].text, `not for ${request.who.mark}`)
  return 1
}

/** A question goes to who is asked; its answer is taken from nobody else. */
async function asking(world) {
  const { crowd, random } = world
  const request = requestOf(world, 'tools/call', { name: 'ask' })
  const result = judge(world, request, await asked(world, request), { what: 'ask' })
  if (!request.isModern || !result) return 1
  expectText(world, result.inputRequests['input-1'].params.message, `Who is ${request.who.mark}?`)
  const who = random.percent(50) ? request.who : random.one(crowd)
  const content = { nonce: nonceOf(world) }
  const inputResponses = { 'input-1': { action: 'accept', content } }
  const params = { name: 'ask', requestState: result.requestState, inputResponses }
  const again = requestOf(world, 'tools/call', params, who)
  const answer = await asked(world, again)
  const isRight = again.isModern && who === request.who
  const final = judge(world, again, answer, { what: 'answer' })
  if (isRight) expectText(world, final?.structuredContent?.content?.nonce, content.nonce)
  else if (final?.structuredContent) world.fault(`answer: taken from ${who.mark}: ${answer.text}`)
  return 2
}

/** Somebody gives up what is not theirs, under every id there could be. */
async function cancellingOthers(world) {
  const requestId = world.random.percent(50)
    ? world.random.one(ids)
    : 1 + world.random.below(world.count() + 50)
  await stray(world, { method: 'notifications/cancelled', params: { requestId, reason: 'because' } })
  return 1
}

/** Somebody answers what was not asked of them. */
async function answeringOthers(world) {
  await stray(world, { id: world.random.below(100), result: { action: 'accept', content: {} } })
  return 1
}

async function stray(world, message) {
  const who = world.random.one(world.crowd)
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${who.token}`,
    'mcp-protocol-version': world.random.one(['2026-07-28', '2025-11-25']),
    ...(message.method && { 'mcp-method': message.method }),
  }
  const bytes = bytesOf({ headers, body: JSON.stringify({ jsonrpc: '2.0', ...message }) })
  const { text } = await asked(world, { bytes })
  if (marks.test(text)) world.fault(`stray: got ${text}`)
  marks.lastIndex = 0
}

function expectText({ fault }, found, expected) {
  if (found !== undefined && found !== expected) fault(`got ${found}, not ${expected}`)
}
