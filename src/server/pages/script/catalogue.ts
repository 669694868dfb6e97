/** Tools, resources, templates and prompts: a section for each kind that there is. */
export const catalogueScript = String.raw`
/** "key" is the member that identifies a component in the protocol. */
const kinds = [
  { from: 'tools', title: 'Tools', key: 'name', parts: toolParts },
  { from: 'resources', title: 'Resources', key: 'uri', parts: resourceParts },
  { from: 'resourceTemplates', title: 'Resource templates', key: 'uriTemplate', parts: resourceParts },
  { from: 'prompts', title: 'Prompts', key: 'name', parts: promptParts },
]

/** { section, nav, count, entries } for a kind; each entry knows its words for the search. */
function kindView(given, kind) {
  const entries = list(given[kind.from]).map(object).map((item) => entryOf(item, kind))
  if (entries.length === 0) return undefined
  const id = 'kind-' + kind.from
  const count = make('span', { class: 'count' }, entries.length)
  const section = make('section', { 'aria-labelledby': id },
    make('h2', { id }, kind.title, ' ', count), ...entries.map((entry) => entry.card))
  const nav = make('div', { class: 'group' },
    make('h2', {}, kind.title), make('ul', {}, ...entries.map((entry) => entry.link)))
  return { section, nav, count, entries }
}

function entryOf(item, kind) {
  const key = text(item[kind.key]) || 'without a name'
  const names = [text(item.title), kind.key === 'name' ? '' : text(item.name)]
  const other = names.find((name) => name !== '' && name !== key) || ''
  const id = kind.from + '/' + key
  const card = make('article', { class: 'card', id, 'aria-labelledby': id + '#name' },
    make('h3', { id: id + '#name' }, iconOf(item.icons),
      make('a', { class: 'name', href: '#' + encodeURIComponent(id) }, make('code', {}, key)),
      other && make('span', { class: 'title', dir: 'auto' }, other)),
    badges(item), prose(text(item.description)), ...kind.parts(item))
  const link = make('li', {}, make('a', { href: '#' + encodeURIComponent(id), title: other || undefined }, key))
  const words = [key, ...names, text(item.description), ...texts(item.scopes)].join('\n').toLowerCase()
  return { card, link, words }
}

/** Who may use it, then what it says of itself: hints, which no client relies on. */
function badges(item) {
  const scopes = texts(item.scopes).map((scope) => badge('scope', 'scope', scope))
  const rule = item.conditional === true
    ? [make('li', { class: 'badge rule', title: 'Beside its scopes, a rule of the server decides at each call' }, 'depends on the caller')]
    : []
  const hints = Object.entries(hintsOf(object(item.annotations))).filter(([, isSo]) => isSo).map(([hint]) => badge('hint', '', hint))
  const all = [...scopes, ...rule, ...hints]
  return all.length > 0 ? make('ul', { class: 'badges' }, ...all) : undefined
}

function badge(className, label, value) {
  return make('li', { class: 'badge ' + className }, label && make('span', { class: 'kind' }, label + ' '), value)
}

function hintsOf({ readOnlyHint, destructiveHint, idempotentHint, openWorldHint }) {
  return {
    'read only': readOnlyHint === true,
    destructive: destructiveHint === true && readOnlyHint !== true,
    idempotent: idempotentHint === true,
    'open world': openWorldHint === true,
  }
}

function toolParts({ inputSchema, outputSchema }) {
  return [
    schemaView(inputSchema === undefined ? {} : inputSchema, 'Arguments', true),
    outputSchema === undefined ? undefined : schemaView(outputSchema, 'Result', false),
  ]
}

function resourceParts({ mimeType, size, annotations }) {
  const { audience, priority } = object(annotations)
  return [definitions([
    ['Type', text(mimeType)],
    ['Size', typeof size === 'number' ? size.toLocaleString('en') + ' bytes' : ''],
    ['For', texts(audience).join(', ')],
    ['Priority', typeof priority === 'number' ? String(priority) : ''],
  ])]
}

function promptParts(item) {
  return [argumentsView(item.arguments)]
}

/** Terms and what they are; those of which nothing is known are left out. */
function definitions(pairs) {
  const known = pairs.filter(([, value]) => value !== '' && value !== undefined)
  if (known.length === 0) return undefined
  return make('dl', { class: 'definitions' },
    ...known.map(([term, value]) => make('div', {}, make('dt', {}, term), make('dd', {}, value))))
}
`
