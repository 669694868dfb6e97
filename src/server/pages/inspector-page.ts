import { type PageFile, pageAnswer } from './page-file.ts'

/**
 * The inspector: two documents without content of their own, and their scripts and the style of both. They are the same for every
 * server; what a script shows it is told by `inspector/config.json` beside it. The programs are big, and loaded when
 * somebody asks for it.
 */
export async function inspectorPage(): Promise<readonly PageFile[]> {
  const { pageFiles } = await import('./built.ts')
  const sources = { images: "'self' data: blob:", media: 'data: blob:' }
  return [
    { path: '/inspector', answer: pageAnswer('text/html', documentFor('app', ''), sources) },
    { path: '/inspector/keys', answer: pageAnswer('text/html', documentFor('keys', '../'), sources) },
    ...Object.entries(pageFiles).map(([name, text]) => ({
      path: `/inspector/${name}`,
      answer: pageAnswer(name.endsWith('.css') ? 'text/css' : 'text/javascript', text),
    })),
  ]
}

/** Whether a path may be that of a script or style of the page: which there are is known when they are loaded. */
export function isInspectorFile(path: string): boolean {
  return /^\/inspector\/[a-z][a-z-]*\.(?:js|css)$/.test(path)
}

/**
 * Addresses are relative, so that the page works below any prefix. The empty icon keeps browsers from asking for one.
 * @param up from the document to where `/inspector` is
 */
function documentFor(view: 'app' | 'keys', up: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="mcp-bearer-view" content="${view}">
<meta name="mcp-bearer-base" content="${up}inspector/">
<title>${view === 'keys' ? 'API keys' : 'MCP inspector'}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${up}inspector/style.css">
<script type="module" src="${up}inspector/${view}.js"></script>
</head>
<body>
<div id="app"></div>
<noscript><p>This page is written by its script.</p></noscript>
</body>
</html>
`
}
