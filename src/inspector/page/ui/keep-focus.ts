/**
 * Keeps the place of whoever uses the keyboard: when what has the focus goes away, the focus goes to what is left around it
 * and not to the beginning of the page (WCAG 2.2, 2.4.3).
 *
 * @returns ends it
 */
export function keepFocus(root: HTMLElement): () => void {
  let path: readonly Element[] = []
  const focused = ({ target }: Event) => {
    path = ancestorsOf(target as Element)
  }
  // A pointer that is set down elsewhere leaves on purpose.
  const left = () => {
    path = []
  }
  const changed = () => {
    if (path[0]?.isConnected !== false || document.activeElement !== document.body) return
    const next = path.filter((one) => one.isConnected).flatMap(usableIn)[0]
    path = []
    next?.focus()
  }
  const watching = new MutationObserver(changed)
  root.addEventListener('focusin', focused)
  root.addEventListener('pointerdown', left)
  watching.observe(root, { childList: true, subtree: true })
  return () => {
    root.removeEventListener('focusin', focused)
    root.removeEventListener('pointerdown', left)
    watching.disconnect()
  }
}

function ancestorsOf(element: Element): readonly Element[] {
  const parent = element.parentElement
  return parent === null ? [element] : [element, ...ancestorsOf(parent)]
}

function usableIn(place: Element): readonly HTMLElement[] {
  return [...place.querySelectorAll<HTMLElement>('button, input, select, textarea, a[href]')].filter(
    (one) => one.tabIndex >= 0 && one.checkVisibility(),
  )
}
