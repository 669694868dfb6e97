import { redacted } from '../../core/index.ts'
import type { Finding, SeenExchange } from '../probe/finding.ts'
import type { CheckOutcome, ProbeReport } from '../probe/probe-report.ts'
import { curlLine, shellWord } from './curl.ts'
import { exchangeText } from './exchange-text.ts'
import { Markup, markup, type Piece } from './markup.ts'
import { reportStyle, reportStyleHash } from './report-style.ts'
import { calmLine, counted, outcomeLine, serverLine, severityCounts } from './summary.ts'

/**
 * A report as one HTML document that needs nothing else: no script, no address it loads from, and a policy that allows its
 * own style alone (CSP 3). All that a server wrote is text in it.
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 * import { htmlReport, probe } from 'mcp-bearer/inspector'
 *
 * await writeFile('report.html', htmlReport(await probe('https://mcp.example.com/mcp')))
 * ```
 */
export function htmlReport(report: ProbeReport): string {
  const title = `Probe of ${report.url}`
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(reportStyle)}</style>
</head>
<body>
<main>
${header(report)}
<h2 id="findings">Findings</h2>
${report.findings.length === 0 ? markup`<p>${calmLine(report)}</p>` : report.findings.map((finding, at) => findingPart(finding, `finding-${at + 1}`, report.url))}
${checksTable(report.checks)}
${runAgain(report)}
<footer>
<p>What was sent and what came back is shown with every token taken out.</p>
</footer>
</main>
</body>
</html>
`.html
}

const policy = [
  "default-src 'none'",
  `style-src '${reportStyleHash}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

function header(report: ProbeReport): Markup {
  const { url, at, ms, withToken, server, requests, findings } = report
  const counts = severityCounts(findings).map(
    ([severity, count]) => markup`<li class="badge ${severity}">${count} ${severity}</li>`,
  )
  return markup`<header>
<p class="eyebrow">Probe of an MCP server</p>
<h1>${server.name ?? new URL(url).host}</h1>
<p class="quiet">${outcomeLine(report)}</p>
<ul class="counts" aria-label="Findings by severity">${counts.length > 0 ? counts : markup`<li class="badge good">nothing found</li>`}</ul>
<dl>
<div><dt>Server</dt><dd><bdi>${serverLine(report)}</bdi></dd></div>
<div><dt>Revisions</dt><dd>${server.revisions.length > 0 ? server.revisions.join(', ') : 'it told none'}</dd></div>
<div><dt>When</dt><dd><time datetime="${at}">${at}</time></dd></div>
<div><dt>How</dt><dd>${counted(requests, 'request')} in ${Math.round(ms)} ms, ${withToken ? 'with a token' : 'without a token'}</dd></div>
</dl>
</header>`
}

function findingPart(finding: Finding, id: string, url: string): Markup {
  const { severity, code, title, detail, demand, citation, fix, seen } = finding
  const exchanges =
    seen.length === 0
      ? undefined
      : markup`<details${severity === 'critical' ? new Markup(' open') : undefined}>
<summary>${counted(seen.length, 'exchange')}</summary>
${seen.map((one) => exchangePart(one, url))}
</details>`
  return markup`<article class="finding" aria-labelledby="${id}">
<p class="line"><span class="badge ${severity}">${severity}</span> <code class="quiet">${code}</code></p>
<h3 id="${id}">${prose(title)}</h3>
${detail === '' ? undefined : markup`<p class="detail"><bdi>${detail}</bdi></p>`}
<dl>
<div><dt>Demanded</dt><dd>${prose(demand)} <a href="${citation.url}" rel="noreferrer">${citation.name}</a></dd></div>
<div><dt>To do</dt><dd>${prose(fix)}</dd></div>
</dl>
${exchanges}
</article>
`
}

function exchangePart(seen: SeenExchange, url: string): Markup {
  const { request, response } = exchangeText(seen)
  // Where something was taken out, it may have been another token than the reader's.
  const isWhole = !request.includes(redacted)
  return markup`<p>Sent</p>
<pre tabindex="0" aria-label="Request"><code>${request}</code></pre>
<p>Came back</p>
<pre tabindex="0" aria-label="Answer"><code>${response}</code></pre>
${isWhole ? again(curlLine(seen.request, url)) : undefined}`
}

function again(line: string): Markup {
  return markup`<p>To send it again</p>
<pre tabindex="0" aria-label="Command"><code>${line}</code></pre>
`
}

/** Words of this package, which may name something as code. */
function prose(text: string): Piece {
  return text.split('`').map((part, at) => (at % 2 === 0 ? part : markup`<code>${part}</code>`))
}

function checksTable(checks: readonly CheckOutcome[]): Markup {
  return markup`<h2 id="checks">Checks</h2>
<div class="wide">
<table>
<caption>Everything that was looked at, in the order it was asked</caption>
<thead><tr><th scope="col">Check</th><th scope="col">Looked at</th><th scope="col">Outcome</th></tr></thead>
<tbody>
${checks.map(checkRow)}</tbody>
</table>
</div>
`
}

function checkRow({ id, title, outcome, reason }: CheckOutcome): Markup {
  const why = reason === undefined ? undefined : markup`<br><span class="small quiet">${reason}</span>`
  return markup`<tr><th scope="row"><code>${id}</code></th><td>${title}${why}</td><td class="outcome ${outcome}">${outcome}</td></tr>
`
}

function runAgain({ url, withToken }: ProbeReport): Markup {
  const line = `mcp-bearer probe ${shellWord(url)}${withToken ? ' --auth env:TOKEN' : ''}`
  return markup`<h2 id="again">Run it again</h2>
<pre tabindex="0" aria-label="Command"><code>${line}</code></pre>
${withToken ? markup`<p class="quiet">The token is in the environment variable <code>TOKEN</code>.</p>` : undefined}
`
}
