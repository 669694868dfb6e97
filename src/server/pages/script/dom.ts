/** Making elements, and reading a document that may hold anything. */
export const domScript = String.raw`
/** An element. Strings among the children become text; names of attributes are never taken from the catalogue. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children) {
    if (child === undefined || child === false || child === '') continue
    element.append(typeof child === 'object' ? child : document.createTextNode(String(child)))
  }
  return element
}

/** The value when it is text, else nothing. */
function text(value) {
  return typeof value === 'string' ? value : ''
}

function object(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

function list(value) {
  return Array.isArray(value) ? value : []
}

function texts(value) {
  return list(value).filter((item) => typeof item === 'string' && item !== '')
}

/** An http or https address, absolute unless there is a base; undefined for anything else, "javascript:" for one. */
function webAddress(value, base) {
  if (text(value) === '' || !URL.canParse(value, base)) return undefined
  const url = new URL(value, base)
  return /^https?:$/.test(url.protocol) ? url.href : undefined
}

/** A link when the address is one of the web, else its text. */
function linkTo(address, label) {
  const href = webAddress(address)
  if (href === undefined) return make('span', {}, label)
  return make('a', { href, rel: 'noopener noreferrer' }, label)
}

/** The first icon that comes with the document itself: one from elsewhere would tell somebody who reads this. */
function iconOf(icons) {
  const icon = list(icons).map((one) => text(object(one).src)).find((src) => /^data:image\//i.test(src))
  return icon && make('img', { class: 'icon', src: icon, alt: '', width: 24, height: 24 })
}

/** Text of people, in the direction of its own script. */
function prose(words, className) {
  return words === '' ? undefined : make('p', { class: 'prose ' + (className || ''), dir: 'auto' }, words)
}

/** Copies a text; nothing where the browser lets no page copy, which it does on secure pages only. */
function copyButton(content, what) {
  if (!navigator.clipboard) return undefined
  const button = make('button', { type: 'button', class: 'copy', 'aria-label': 'Copy ' + what }, 'Copy')
  const say = (word) => {
    button.textContent = word
    button.setAttribute('aria-label', word === 'Copy' ? 'Copy ' + what : word)
  }
  button.addEventListener('click', () => {
    navigator.clipboard.writeText(content).then(() => say('Copied'), () => say('Not allowed'))
  })
  button.addEventListener('blur', () => say('Copy'))
  return button
}

/** Code below a line that says where it belongs, with a button that copies it. Keys reach it, to scroll it. */
function codeBlock(content, what, place) {
  const head = make('div', { class: 'code-head' }, make('span', {}, place), copyButton(content, what))
  const code = make('pre', { tabindex: 0, role: 'region', 'aria-label': what }, make('code', {}, content))
  return make('div', { class: 'code' }, head, code)
}
`
