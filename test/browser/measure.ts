import type { Page } from 'playwright-core'

/** Texts whose contrast to their ground is below 4.5 : 1 (WCAG 2.2, 1.4.3), and how many texts were measured. */
export function contrast(page: Page): Promise<{ measured: number; faint: string[] }> {
  return page.evaluate(`(() => {
    const channels = (color) => color.match(/[\\d.]+/g).map(Number)
    const luminance = (color) => {
      const [red, green, blue] = channels(color).slice(0, 3).map((value) => {
        const share = value / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    const isClear = (color) => { const parts = channels(color); return parts.length === 4 && parts[3] === 0 }
    const groundOf = (element) => {
      const ground = getComputedStyle(element).backgroundColor
      if (!isClear(ground)) return ground
      return element.parentElement ? groundOf(element.parentElement) : 'rgb(255, 255, 255)'
    }
    const faint = []
    let measured = 0
    for (const element of document.body.querySelectorAll('*')) {
      const words = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join('').trim()
      if (words === '' || !element.checkVisibility() || element.localName === 'noscript') continue
      measured += 1
      const [low, high] = [getComputedStyle(element).color, groundOf(element)].map(luminance).sort((a, b) => a - b)
      const ratio = (high + 0.05) / (low + 0.05)
      if (ratio < 4.5) faint.push(ratio.toFixed(2) + ' ' + words.slice(0, 40))
    }
    return { measured, faint }
  })()`)
}

/** Whether anything is wider than the window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate('document.scrollingElement.scrollWidth - innerWidth')
}

/** Everything that can be used, and what the Tab key reaches, in order; "unseen" is reached without a visible mark. */
export async function keyboard(
  page: Page,
): Promise<{ usable: string[]; reached: string[]; unseen: string[] }> {
  const describe = `(element) => (element.getAttribute('aria-label') || element.id || element.textContent.trim() ||
    element.localName) + ' <' + element.localName + '>'`
  const usable = await page.evaluate<
    string[]
  >(`[...document.querySelectorAll('a[href], button, input, summary, pre')]
    .filter((element) => element.checkVisibility() && element.tabIndex >= 0).map(${describe})`)
  const reached: string[] = []
  const unseen: string[] = []
  for (const _one of usable) {
    await page.keyboard.press('Tab')
    const [name, mark] = await page.evaluate<[string, string]>(`(() => {
      const element = document.activeElement
      return [(${describe})(element), getComputedStyle(element).outlineStyle]
    })()`)
    reached.push(name)
    if (mark === 'none') unseen.push(name)
  }
  return { usable, reached, unseen }
}

/** What a screenshot shows, measured in a page of its own. */
export interface Picture {
  readonly width: number
  readonly height: number
  /** Lightness of the ground, 0 to 255: of the pixel in the corner. */
  readonly ground: number
  /** Share of the pixels that are unlike the ground, 0 to 1. */
  readonly ink: number
  /** The longest run of rows without ink, in pixels. */
  readonly longestBlank: number
}

/** @param png the whole page, at one pixel for each pixel of the style */
export async function picture(page: Page, png: Buffer): Promise<Picture> {
  const blank = await page.context().newPage()
  try {
    return await blank.evaluate<Picture>(`(async () => {
      const image = new Image()
      image.src = 'data:image/png;base64,${png.toString('base64')}'
      await image.decode()
      const { width, height } = image
      const canvas = new OffscreenCanvas(width, height)
      const brush = canvas.getContext('2d')
      brush.drawImage(image, 0, 0)
      const { data } = brush.getImageData(0, 0, width, height)
      const light = (at) => (data[at] + data[at + 1] + data[at + 2]) / 3
      const ground = light(0)
      let inked = 0, run = 0, longestBlank = 0
      for (let row = 0; row < height; row += 1) {
        let inRow = 0
        for (let at = row * width * 4; at < (row + 1) * width * 4; at += 4) if (Math.abs(light(at) - ground) > 24) inRow += 1
        inked += inRow
        run = inRow === 0 ? run + 1 : 0
        longestBlank = Math.max(longestBlank, run)
      }
      return { width, height, ground, ink: inked / (width * height), longestBlank }
    })()`)
  } finally {
    await blank.close()
  }
}
