import type { PlainAnswer } from '../../http/refusal.ts'
import { docsStyle } from './docs-style.ts'
import { docsScript } from './script/index.ts'

/** A file of the page, and the path it is served under. */
export interface PageFile {
  readonly path: string
  readonly answer: PlainAnswer
}

/**
 * The page that shows the catalogue: a document without content of its own, its script and its style. All three are
 * the same for every server; what the script shows it reads from `openmcp.json` beside the page.
 */
export function docsPage(): readonly PageFile[] {
  return [
    { path: '/docs', answer: file('text/html', docsHtml) },
    { path: '/docs/app.js', answer: file('text/javascript', docsScript) },
    { path: '/docs/style.css', answer: file('text/css', docsStyle) },
  ]
}

/**
 * Nothing from elsewhere, nothing inline, no frames. Trusted types: where the browser knows them, text cannot become
 * markup even by mistake (CSP 3; Trusted Types, section 4.3).
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

/** The bodies are ASCII, so that their characters are their bytes. */
function file(type: string, body: string): PlainAnswer {
  const headers = {
    'content-type': `${type}; charset=utf-8`,
    'content-length': String(body.length),
    'cache-control': 'no-cache',
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  }
  return Object.freeze({ status: 200, headers: Object.freeze(headers), body })
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
