/** The header that carries the secret of a session from a page to the program on this machine that serves it. */
export const sessionHeader = 'x-inspector-session'
