/** What stands above everything else: what the server is, where it is, and what it asks for. */
export const overviewScript = String.raw`
function overviewView(given) {
  const info = object(given.info)
  const name = text(info.name) || 'MCP server'
  const title = text(info.title) || name
  document.title = title + ' \u00b7 MCP server'
  const site = webAddress(info.websiteUrl)
  return make('header', { class: 'overview' },
    make('p', { class: 'eyebrow' }, 'MCP server'),
    make('h1', { dir: 'auto' }, iconOf(info.icons), title),
    make('p', { class: 'version' }, title !== name && make('code', {}, name), text(info.version) && ' version ' + text(info.version),
      site && make('span', {}, ' \u00b7 ', linkTo(site, new URL(site).host))),
    prose(text(info.description), 'lead'), accessView(given), instructionsView(text(given.instructions)))
}

/** The facts a client needs before its first request. */
function accessView(given) {
  const endpoint = object(given.endpoint)
  const security = object(given.security)
  const url = webAddress(endpoint.url, document.baseURI) || text(endpoint.url)
  const required = texts(security.requiredScopes)
  return definitions([
    ['Endpoint', url && make('span', { class: 'address' }, make('code', {}, url), copyButton(url, 'the endpoint'))],
    ['Authentication', securityText(security)],
    ['Required scopes', required.length > 0 ? codes(required) : undefined],
    ['API keys', text(security.apiKeyHeader) && make('span', {}, 'also in the header ', make('code', {}, security.apiKeyHeader))],
    ['Tokens come from', links(texts(security.authorizationServers))],
    ['Metadata', links(texts([security.resourceMetadata]))],
    ['Protocol', texts(endpoint.revisions).join(', ')],
    ['Transport', texts(endpoint.transports).map((name) => transportNames[name] || name).join(', ')],
  ])
}

const transportNames = { 'streamable-http': 'Streamable HTTP', sse: 'HTTP with SSE (2024-11-05)' }

function securityText({ scheme, optional }) {
  if (scheme === 'none') return 'none'
  if (scheme !== 'bearer') return text(scheme)
  return make('span', {}, optional === true ? 'optional: ' : '', make('code', {}, 'Authorization: Bearer \u2026'))
}

function codes(values) {
  return make('span', { class: 'codes' }, ...values.map((value) => make('code', {}, value)))
}

function links(addresses) {
  if (addresses.length === 0) return undefined
  return make('span', { class: 'codes' }, ...addresses.map((address) => linkTo(address, address)))
}

function instructionsView(words) {
  if (words === '') return undefined
  return make('details', { class: 'part' },
    make('summary', {}, make('span', { class: 'label' }, 'Instructions for the model')), prose(words))
}
`
