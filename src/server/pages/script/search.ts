/** The filter over all components. */
export const searchScript = String.raw`
/** Shows the entries that hold every word, and says how many there are. */
function startSearch(views, nothing) {
  const field = document.getElementById('filter')
  const found = document.getElementById('found')
  const total = views.reduce((sum, view) => sum + view.entries.length, 0)
  const apply = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter((word) => word !== '')
    const count = views.reduce((sum, view) => sum + filterView(view, words), 0)
    const isFiltered = words.length > 0
    found.textContent = isFiltered ? count + ' of ' + total : ''
    nothing.hidden = count > 0
    nothing.textContent = 'Nothing matches \u201c' + field.value.trim() + '\u201d.'
    document.getElementById('content').classList.toggle('filtered', isFiltered)
  }
  field.addEventListener('input', apply)
  document.addEventListener('keydown', (event) => searchKeys(event, field, apply))
  window.addEventListener('hashchange', () => showTarget(field, apply))
  document.getElementById('search').hidden = false
  apply()
}

function filterView(view, words) {
  let count = 0
  for (const entry of view.entries) {
    const isShown = words.every((word) => entry.words.includes(word))
    entry.card.hidden = !isShown
    entry.link.hidden = !isShown
    if (isShown) count += 1
  }
  view.count.textContent = String(count)
  view.section.hidden = count === 0
  view.nav.hidden = count === 0
  return count
}

/** "/" comes to the field from everywhere but another field; Escape empties it. */
function searchKeys(event, field, apply) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  if (event.key === '/' && document.activeElement !== field) {
    event.preventDefault()
    field.focus()
    field.select()
  } else if (event.key === 'Escape' && document.activeElement === field && field.value !== '') {
    event.preventDefault()
    field.value = ''
    apply()
  }
}

/** Goes to what the address names. A link to what the filter hides takes the filter away. */
function showTarget(field, apply) {
  const target = document.getElementById(decoded(location.hash.slice(1)))
  if (!target) return
  if (target.hidden) {
    field.value = ''
    apply()
  }
  target.scrollIntoView()
}
`
