/**
 * The style behind `/docs/style.css`. Two schemes from one set of names, one accent; nothing moves. Every pair of text and ground has
 * at least 4.5 : 1 (WCAG 2.2, 1.4.3), measured in `test/browser`. ASCII only.
 */
export const docsStyle = `
:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --surface: #ffffff; --sunk: #f2f0ea; --line: #e1ddd3;
  --ink: #1d2126; --quiet: #585e66; --accent: #0b5f6d; --accent-ground: #e4f0f1;
  --code: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --serif: ui-serif, "Iowan Old Style", Charter, Georgia, "DejaVu Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121518; --surface: #181c20; --sunk: #20262b; --line: #2d343a;
    --ink: #e5e7e9; --quiet: #a0a8b0; --accent: #74c9d4; --accent-ground: #16323a;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.6 var(--sans); }
code, pre, kbd { font-family: var(--code); font-size: 0.875em; }
code { overflow-wrap: anywhere; unicode-bidi: isolate; }
a { color: var(--accent); text-underline-offset: 0.2em; text-decoration-thickness: 1px; overflow-wrap: anywhere; }
a:hover { text-decoration-thickness: 2px; }
p, ul, dl, dd, h1, h2, h3 { margin: 0; }
ul { padding: 0; list-style: none; }
[hidden] { display: none !important; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100vw; top: 0; background: var(--surface); padding: 0.5rem 1rem; z-index: 2; }
.skip:focus { left: 0; }

.frame { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
main { min-width: 0; padding: 2rem 0 4rem; }
section { margin-top: 3.5rem; }
h2 { font: 600 1.25rem/1.3 var(--sans); letter-spacing: -0.01em; margin-bottom: 1rem; }
.count { color: var(--quiet); font-weight: 400; margin-left: 0.25rem; }
.prose { white-space: pre-line; overflow-wrap: anywhere; max-width: 42rem; }
.quiet, .hint { color: var(--quiet); }
.small, .hint { font-size: 0.875rem; }
.state { color: var(--quiet); padding: 2rem 0; }
.icon { vertical-align: -0.2em; margin-right: 0.5rem; object-fit: contain; }

.side { padding-top: 1.25rem; }
.search label { display: block; font-size: 0.875rem; font-weight: 600; margin-bottom: 0.25rem; }
.search input { width: 100%; font: inherit; color: inherit; background: var(--surface); padding: 0.45rem 0.75rem;
  border: 1px solid var(--quiet); border-radius: 6px; }
.search .hint { margin-top: 0.4rem; font-size: 0.8125rem; line-height: 1.4; }
.found:empty { display: none; }
.found { color: var(--ink); }
kbd { border: 1px solid var(--line); border-radius: 3px; padding: 0 0.3em; background: var(--surface); }
nav { display: none; }
nav h2 { font-size: 0.8125rem; color: var(--quiet); margin: 1.5rem 0 0.4rem; letter-spacing: 0; }
nav li a { display: block; font: 0.8125rem/1.4 var(--code); color: var(--ink); text-decoration: none;
  padding: 0.2rem 0.6rem; margin-left: -0.6rem; border-radius: 4px; }
nav li a:hover { background: var(--sunk); color: var(--accent); }

.eyebrow { color: var(--accent); font-size: 0.875rem; font-weight: 600; }
h1 { font: 600 2.25rem/1.15 var(--serif); letter-spacing: -0.015em; margin: 0.25rem 0 0.35rem; overflow-wrap: anywhere; }
.version { color: var(--quiet); font-size: 0.9375rem; overflow-wrap: anywhere; }
.lead { margin-top: 1.25rem; font-size: 1.125rem; }
.definitions { margin-top: 0.75rem; font-size: 0.9375rem; }
.definitions > div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: 0.35rem 0; }
.definitions dt { flex: 0 0 9.5rem; color: var(--quiet); }
.definitions dd { flex: 1 1 14rem; min-width: 0; overflow-wrap: anywhere; }
.overview .definitions { margin-top: 1.75rem; border-top: 1px solid var(--line); }
.overview .definitions > div { border-bottom: 1px solid var(--line); padding: 0.55rem 0; }
.address { display: flex; align-items: center; gap: 0.75rem; justify-content: space-between; }
.codes { display: flex; flex-wrap: wrap; gap: 0 1rem; }

button { font: inherit; font-size: 0.875rem; color: var(--accent); background: var(--surface); cursor: pointer;
  border: 1px solid var(--line); border-radius: 6px; padding: 0.3rem 0.75rem; }
button:hover { border-color: var(--accent); }
.copy { flex: none; font-size: 0.8125rem; padding: 0.1rem 0.6rem; }
.tabs { margin-top: 1.25rem; }
[role=tablist] { display: flex; flex-wrap: wrap; gap: 0 1.25rem; border-bottom: 1px solid var(--line); }
[role=tab] { background: none; border: 0; border-bottom: 2px solid transparent; border-radius: 0; color: var(--quiet);
  padding: 0.45rem 0; margin-bottom: -1px; font-size: 0.9375rem; }
[role=tab]:hover { color: var(--ink); }
[role=tab][aria-selected=true] { color: var(--ink); border-bottom-color: var(--accent); font-weight: 600; }
.code-head { display: flex; align-items: center; justify-content: space-between; gap: 1rem; min-height: 1.75rem;
  margin: 0.75rem 0 0.4rem; color: var(--quiet); font-size: 0.875rem; }
.code + .prose { margin-top: 0.5rem; }
pre { margin: 0; padding: 0.9rem 1rem; background: var(--sunk); border-radius: 8px; overflow: auto; max-height: 28rem;
  line-height: 1.55; tab-size: 2; }
pre code { overflow-wrap: normal; font-size: 0.8125rem; }

.card { padding: 1.5rem 0; border-top: 1px solid var(--line); }
.card:target h3 .name { background: var(--accent-ground); }
h3 { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.15rem 0.75rem; font: inherit; }
h3 .name { color: var(--ink); text-decoration: none; font-weight: 600; border-radius: 3px; min-width: 0; }
h3 .name code { font-size: 1rem; }
h3 .name:hover { color: var(--accent); text-decoration: underline; }
h3 .title { color: var(--quiet); min-width: 0; overflow-wrap: anywhere; }
h3 .icon { align-self: center; margin: 0 -0.25rem 0 0; }
.card > .prose { margin-top: 0.5rem; }
.badges { display: flex; flex-wrap: wrap; gap: 0.35rem; margin-top: 0.5rem; }
.badge { font-size: 0.8125rem; line-height: 1.4; padding: 0.1rem 0.55rem; border-radius: 999px; border: 1px solid var(--line);
  color: var(--quiet); overflow-wrap: anywhere; }
.badge.scope { background: var(--accent-ground); border-color: transparent; color: var(--accent); }
.badge.scope .kind { font-weight: 400; }
.badge.scope, .badge.rule { font-weight: 600; }
.badge.rule { border-color: var(--accent); color: var(--accent); }

.part { margin-top: 1rem; }
summary { cursor: pointer; width: fit-content; }
.part > summary::marker, .source > summary::marker { color: var(--quiet); }
.label { font-weight: 600; font-size: 0.875rem; margin-right: 0.5rem; }
summary .quiet, .source > summary { font-size: 0.875rem; }
.part > p { margin-top: 0.4rem; font-size: 0.9375rem; }
p.part { font-size: 0.875rem; }
.source { margin-top: 0.75rem; }
.source > summary { color: var(--quiet); }
.rows { margin-top: 0.4rem; }
.rows > li { padding: 0.45rem 0; }
.rows .rows { border-left: 2px solid var(--line); padding-left: 1rem; margin-left: 0.15rem; }
.line { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.75rem; }
.field { font-weight: 600; min-width: 0; }
.type { color: var(--quiet); font: 0.8125rem/1.6 var(--code); min-width: 0; overflow-wrap: anywhere; }
.need { color: var(--accent); font-size: 0.8125rem; font-weight: 600; }
.rows .prose { font-size: 0.9375rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.1rem 1.25rem; font-size: 0.8125rem; margin-top: 0.1rem; }
.facts li { min-width: 0; overflow-wrap: anywhere; }
.facts code { background: var(--sunk); border-radius: 3px; padding: 0.05rem 0.3rem; font-size: 0.78125rem; }

.failure { padding: 2rem 0 1rem; }
.failure p { margin-top: 0.75rem; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: 0.875rem; }
.filtered .overview, .filtered #connect { display: none; }
.filtered section { margin-top: 0; margin-bottom: 3rem; }

@media (min-width: 60rem) {
  .frame { display: grid; grid-template-columns: 16rem minmax(0, 1fr); gap: 4rem; padding: 0 2rem; }
  .side { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 2.25rem 0.75rem 2rem; scrollbar-width: thin; }
  nav { display: block; }
  main { padding-top: 2.25rem; max-width: 50rem; }
}
@media (max-width: 30rem) {
  h1 { font-size: 1.75rem; }
  .definitions dt { flex-basis: 100%; }
}
`
