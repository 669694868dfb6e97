/** Schemas and arguments as nested lists. */
export const schemaViewScript = `
/** The fields of a schema, and below them the schema as it is. */
function schemaView(schema, heading, isOpen) {
  const node = readSchema(schema)
  const count = node.rows.length
  if (count === 0 && node.type === 'object' && node.description === '') {
    return make('p', { class: 'part quiet' }, heading + ': ' + (isClosed(schema) ? 'none.' : 'any object.'))
  }
  const body = count > 0
    ? rowList(node.rows)
    : make('p', { class: 'quiet' }, node.type + (node.description && '. ' + node.description))
  const label = make('span', { class: 'label' }, heading)
  const size = count > 0 ? make('span', { class: 'quiet' }, count) : undefined
  const source = make('details', { class: 'source' }, make('summary', {}, 'JSON Schema'),
    codeBlock(JSON.stringify(schema, undefined, 2), heading + ' as JSON Schema', 'Draft 2020-12'))
  const head = make('summary', {}, label, size)
  return make('details', { class: 'part', open: isOpen }, head, body, source)
}

/** Whether an object without fields stays empty: it says so, or lists no field where others would. */
function isClosed({ additionalProperties, properties }) {
  return additionalProperties === false || (properties !== undefined && additionalProperties === undefined)
}

function rowList(rows) {
  return make('ul', { class: 'rows' }, ...rows.map(rowView))
}

function rowView({ label, required, node }) {
  const line = make('div', { class: 'line' },
    make('code', { class: 'field' }, label),
    make('span', { class: 'type' }, node.type),
    required ? make('span', { class: 'need' }, 'required') : undefined)
  const facts = node.facts.length > 0 ? make('ul', { class: 'facts' }, ...node.facts.map(factView)) : undefined
  const inner = node.rows.length > 0 ? rowList(node.rows) : undefined
  return make('li', {}, line, prose(node.description, 'small'), facts, inner)
}

function factView({ label, values }) {
  const parts = values.flatMap((value) => [' ', make('code', {}, value)])
  return make('li', {}, make('span', { class: 'quiet' }, label), ...parts)
}

/** Arguments of a prompt: name, description, and whether they are needed. All of them are text. */
function argumentsView(given) {
  const rows = list(given).map(object).map((argument) => ({
    label: text(argument.name) || 'without a name',
    required: argument.required === true,
    node: { type: 'string', facts: [], description: text(argument.description), rows: [] },
  }))
  if (rows.length === 0) return undefined
  const head = make('summary', {}, make('span', { class: 'label' }, 'Arguments'), make('span', { class: 'quiet' }, rows.length))
  return make('details', { class: 'part', open: true }, head, rowList(rows))
}
`
