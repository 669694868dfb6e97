/** The style of the report: the colours of `/docs`. ASCII only. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --surface: #ffffff; --sunk: #f2f0ea; --line: #e1ddd3;
  --ink: #1d2126; --quiet: #585e66; --accent: #0b5f6d;
  --critical: #a3182b; --serious: #8a4200; --minor: #6a5300; --note: #585e66; --good: #1d6b3c;
  --code: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --serif: ui-serif, "Iowan Old Style", Charter, Georgia, "DejaVu Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121518; --surface: #181c20; --sunk: #20262b; --line: #2d343a;
    --ink: #e5e7e9; --quiet: #a0a8b0; --accent: #74c9d4;
    --critical: #ff9aa5; --serious: #f5ae72; --minor: #dcc46a; --note: #a0a8b0; --good: #86d3a2;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.6 var(--sans); }
main { max-width: 52rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, h3, p, dl, dd, ul { margin: 0; }
ul { padding: 0; list-style: none; }
h1 { font: 600 2.25rem/1.15 var(--serif); letter-spacing: -0.015em; margin: 0.25rem 0 0.35rem; overflow-wrap: anywhere; }
h2 { font: 600 1.25rem/1.3 var(--sans); letter-spacing: -0.01em; margin: 3.5rem 0 1rem; }
h3 { font: 600 1.0625rem/1.4 var(--sans); overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: 0.2em; text-decoration-thickness: 1px; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code, pre { font-family: var(--code); font-size: 0.875em; }
code { overflow-wrap: anywhere; unicode-bidi: isolate; }
pre { margin: 0.35rem 0 0.9rem; padding: 0.9rem 1rem; background: var(--sunk); border-radius: 8px; overflow: auto;
  max-height: 28rem; line-height: 1.55; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
.eyebrow { color: var(--accent); font-size: 0.875rem; font-weight: 600; }
.quiet { color: var(--quiet); }
.small { font-size: 0.875rem; }
.counts { display: flex; flex-wrap: wrap; gap: 0.35rem; margin-top: 1.25rem; }
.badge { font-size: 0.8125rem; line-height: 1.4; font-weight: 600; padding: 0.1rem 0.55rem; border-radius: 999px;
  border: 1px solid currentcolor; background: var(--surface); white-space: nowrap; }
.critical { color: var(--critical); }
.serious { color: var(--serious); }
.minor { color: var(--minor); }
.note, .skipped { color: var(--note); }
.good, .passed { color: var(--good); }
.found { color: var(--serious); }
dl { margin-top: 1rem; font-size: 0.9375rem; }
dl > div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: 0.45rem 0; border-top: 1px solid var(--line); }
dt { flex: 0 0 8.5rem; color: var(--quiet); }
dd { flex: 1 1 14rem; min-width: 0; overflow-wrap: anywhere; }
.finding { padding: 1.5rem 0; border-top: 1px solid var(--line); break-inside: avoid-page; }
.finding .line { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.15rem 0.75rem; margin-bottom: 0.35rem; }
.finding .detail { margin-top: 0.35rem; overflow-wrap: anywhere; }
details { margin-top: 1rem; }
summary { cursor: pointer; width: fit-content; font-size: 0.875rem; font-weight: 600; }
summary::marker { color: var(--quiet); }
details p { margin-top: 0.6rem; font-size: 0.875rem; color: var(--quiet); }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; }
caption { text-align: left; color: var(--quiet); font-size: 0.875rem; padding-bottom: 0.5rem; }
th, td { text-align: left; vertical-align: top; padding: 0.45rem 0.75rem 0.45rem 0; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { border-top: 0; color: var(--quiet); font-weight: 600; font-size: 0.875rem; }
tbody th { font-weight: 400; }
td.outcome { white-space: nowrap; font-weight: 600; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: 0.875rem; }
@media (max-width: 30rem) {
  h1 { font-size: 1.75rem; }
  dt { flex-basis: 100%; }
}
@media print {
  :root { color-scheme: light; --ground: #ffffff; --surface: #ffffff; --sunk: #f4f4f4; --line: #cccccc; --ink: #000000;
    --quiet: #444444; --accent: #000000; --critical: #a3182b; --serious: #8a4200; --minor: #6a5300; --note: #444444;
    --good: #1d6b3c; }
  main { max-width: none; padding: 0; }
  pre { max-height: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`

/**
 * What the policy of the report allows in place of every inline style (CSP 3 section 2.3.1, hash-source). Written down, so
 * that a report is made without asking for a digest; a test holds the two together.
 */
export const reportStyleHash = 'sha256-cgShftmRKvLBzQxzy2vjc/eoxrdIKTopK2USGgm3w7s='
