/** For what scrolls inside itself and holds nothing to press: it has to be reached with the keyboard (WCAG 2.2, 2.1.1). */
export const scrolls = { tabIndex: 0 }
