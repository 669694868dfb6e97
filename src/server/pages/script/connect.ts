/** The section that says how to connect: one tab for each host. */
export const connectScript = `
function connectView(given) {
  const url = webAddress(object(given.endpoint).url, document.baseURI)
  if (url === undefined) return undefined
  const security = object(given.security)
  const auth = security.scheme !== 'none'
  const kind = Object.keys(listMethods).find((name) => list(given[name]).length > 0)
  const method = listMethods[kind] || 'server/discover'
  const revision = texts(object(given.endpoint).revisions)[0] || '2026-07-28'
  const name = text(object(given.info).name)
  const hosts = hostsFor({ name, url, auth, method, revision })
  return make('section', { id: 'connect', 'aria-labelledby': 'connect-title' },
    make('h2', { id: 'connect-title' }, 'Connect'), connectIntro(security, auth), tabs(hosts, 'Host'))
}

/** A first call that any server of its kind answers. */
const listMethods = {
  tools: 'tools/list', resources: 'resources/list', resourceTemplates: 'resources/templates/list', prompts: 'prompts/list',
}

function connectIntro(security, auth) {
  if (!auth) return make('p', {}, 'This server asks for no token: its address is all a host needs.')
  const token = make('code', {}, 'MCP_TOKEN')
  const start = security.optional === true ? 'A token is optional; with one, a host gets what it allows. ' : ''
  const signIn = texts(security.authorizationServers).length > 0
    ? ' Hosts that sign in by themselves need the address alone.'
    : ''
  return make('p', {}, start + 'Put your access token into the environment variable ', token,
    ' and let the host read it from there; it belongs in no file that is shared.' + signIn)
}

/** Tabs after the pattern of the ARIA Authoring Practices: one stop for the Tab key, arrows within. */
function tabs(hosts, label) {
  const buttons = hosts.map(({ id, label: name }, index) => make('button', {
    type: 'button', role: 'tab', id: 'tab-' + id, 'aria-controls': 'panel-' + id,
    'aria-selected': String(index === 0), tabindex: index === 0 ? 0 : -1,
  }, name))
  const panels = hosts.map((host, index) => panelOf(host, index > 0))
  const select = (index) => {
    for (const [at, button] of buttons.entries()) {
      button.setAttribute('aria-selected', String(at === index))
      button.tabIndex = at === index ? 0 : -1
      panels[at].hidden = at !== index
    }
  }
  for (const [index, button] of buttons.entries()) {
    button.addEventListener('click', () => select(index))
    button.addEventListener('keydown', (event) => {
      const next = nextTab(event.key, index, buttons.length)
      if (next === undefined) return
      event.preventDefault()
      select(next)
      buttons[next].focus()
    })
  }
  return make('div', { class: 'tabs' },
    make('div', { role: 'tablist', 'aria-label': label }, ...buttons), ...panels)
}

function nextTab(key, index, count) {
  const steps = { ArrowRight: index + 1, ArrowLeft: index - 1 + count, Home: 0, End: count - 1 }
  return Object.hasOwn(steps, key) ? steps[key] % count : undefined
}

function panelOf({ id, label, place, code, note }, isHidden) {
  return make('div', { role: 'tabpanel', id: 'panel-' + id, 'aria-labelledby': 'tab-' + id, hidden: isHidden },
    codeBlock(code, label + ': ' + place, place), prose(note, 'small quiet'))
}
`
