import { docsStyle } from './docs-style.ts'
import { type PageFile, pageAnswer } from './page-file.ts'
import { docsScript } from './script/index.ts'

/**
 * The page that shows the catalogue: a document without content of its own, its script and its style. All three are
 * the same for every server; what the script shows it reads from `openmcp.json` beside the page.
 */
export function docsPage(): readonly PageFile[] {
  return [
    { path: '/docs', answer: pageAnswer('text/html', docsHtml) },
    { path: '/docs/app.js', answer: pageAnswer('text/javascript', docsScript) },
    { path: '/docs/style.css', answer: pageAnswer('text/css', docsStyle) },
  ]
}

// Addresses are relative, so that the page works below any prefix. The empty icon keeps browsers from asking for one.
const docsHtml = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>MCP server</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/style.css">
<script src="docs/app.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<div class="frame">
<aside class="side">
<search class="search" id="search" hidden>
<label for="filter">Filter</label>
<input id="filter" type="search" autocomplete="off" spellcheck="false" aria-describedby="filter-hint"
 aria-keyshortcuts="/">
<p class="hint" id="filter-hint">Names, titles, descriptions, scopes. Press <kbd>/</kbd> to come here.</p>
<p class="hint found" id="found" role="status"></p>
</search>
<nav id="index" aria-label="Catalogue" hidden></nav>
</aside>
<main id="content" tabindex="-1" aria-busy="true">
<p class="state" id="state" role="status"></p>
</main>
</div>
<noscript><p class="state">This page is written by its script. The same content, for programs, is in
<a href="openmcp.json">openmcp.json</a>.</p></noscript>
</body>
</html>
`
