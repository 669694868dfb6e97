/** Reads the catalogue, and shows it or what went wrong. */
export const startScript = String.raw`
const main = document.getElementById('content')
const state = document.getElementById('state')

async function start() {
  state.textContent = 'Reading the catalogue\u2026'
  main.setAttribute('aria-busy', 'true')
  try {
    show(await readCatalogue())
  } catch (error) {
    showFailure(error)
  }
  main.setAttribute('aria-busy', 'false')
}

/** @throws Error that says what is wrong with the catalogue */
async function readCatalogue() {
  const response = await fetch('openmcp.json', { headers: { accept: 'application/json' } }).catch(() => {
    throw new Error('The server does not answer.')
  })
  if (!response.ok) throw new Error('The server answered with status ' + response.status + '.')
  const given = await response.json().catch(() => {
    throw new Error('What the server sent is not JSON.')
  })
  if (!/^1\./.test(text(object(given).openmcp))) throw new Error('The catalogue has a format this page does not know.')
  return given
}

function show(given) {
  const views = kinds.map((kind) => kindView(given, kind)).filter((view) => view !== undefined)
  const nothing = make('p', { class: 'state', id: 'nothing', hidden: true })
  const empty = views.length === 0
    ? make('p', { class: 'state', id: 'empty' }, 'This server offers nothing yet: no tools, no resources, no prompts.')
    : undefined
  const foot = make('footer', {}, 'The same for programs: ', make('a', { href: 'openmcp.json' }, 'openmcp.json'))
  const parts = [overviewView(given), connectView(given), empty, ...views.map((view) => view.section), nothing, foot]
  main.replaceChildren(...parts.filter((part) => part !== undefined))
  const index = document.getElementById('index')
  index.replaceChildren(...views.map((view) => view.nav))
  index.hidden = views.length === 0
  if (views.length === 0) return
  startSearch(views, nothing)
  // The browser looked for what the address names before it was there; now it looks again.
  if (location.hash !== '') location.replace(location.hash)
}

function showFailure(error) {
  const again = make('button', { type: 'button' }, 'Try again')
  again.addEventListener('click', () => void start())
  main.replaceChildren(make('div', { class: 'failure', role: 'alert' },
    make('h1', {}, 'The catalogue cannot be read'),
    make('p', {}, error instanceof Error ? error.message : String(error))), again, state)
  state.textContent = ''
}

void start()
`
