"""Style sheet of the pages of reports: the fonts of the system, light, dark and printed."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1c1e21; --soft: #5a616b; --line: #d8dad4; --faint: #f3f4ef;
  --accent: #1d5c86; --ceiling: #eaf1f6; --floor: #f4efe9;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --ink: #e4e5e2; --soft: #a2a8b0; --line: #363a40; --faint: #1d2024;
    --accent: #86bfe6; --ceiling: #18262f; --floor: #29231d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 70rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
h1 { font-size: 2rem; line-height: 1.2; font-weight: 650; margin: 0 0 .6rem; text-wrap: balance; }
h2 { font-size: 1.3rem; line-height: 1.3; font-weight: 650; margin: 3.5rem 0 .9rem; }
h3 { font-size: 1rem; font-weight: 650; margin: 2rem 0 .4rem; }
p, dd, li { max-width: 44rem; }
p { margin: 0 0 1rem; text-wrap: pretty; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, .scroll:focus-visible, input:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px;
}
sub { line-height: 0; font-size: .75em; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .9em; }
code { overflow-wrap: anywhere; }
pre { background: var(--faint); border: 1px solid var(--line); border-radius: 4px;
  padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 1rem; }
.facts { color: var(--soft); margin: 0 0 1.6rem; max-width: none; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; list-style: none; padding: .6rem 0;
  margin: 0 0 2rem; border: solid var(--line); border-width: 1px 0; }
.claim { font-size: 1.25rem; line-height: 1.5; }
.sentences { display: grid; grid-template-columns: 8.5rem minmax(0, 44rem); gap: .9rem 1.5rem;
  margin: 1.6rem 0 1rem; }
.sentences dt { font-weight: 650; }
.sentences dd { margin: 0; }
.sentences p { margin: 0 0 .45rem; }
.rule, .legend, figcaption { color: var(--soft); font-size: .9rem; }
.remarks { padding-left: 1.2rem; }
fieldset { border: 0; padding: 0; margin: 0 0 1.2rem; display: flex; flex-wrap: wrap;
  gap: .3rem 1.1rem; font-size: .9rem; }
legend { float: left; padding: 0; margin-right: .3rem; color: var(--soft); }
label { white-space: nowrap; }
.scroll { overflow: auto; max-height: 90vh; max-width: max-content; margin: 0 0 2.2rem;
  border: solid var(--line); border-width: 1px 0; }
.title { margin: 2rem 0 .5rem; font-weight: 650; }
table { border-collapse: separate; border-spacing: 0; font-size: .9rem; line-height: 1.35; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: .32rem .7rem; text-align: right; white-space: nowrap; background: var(--paper); }
th[scope="row"], th:first-child { text-align: left; font-weight: 400; }
thead th { position: sticky; top: 0; z-index: 2; font-weight: 650; background: var(--faint);
  border-bottom: 1px solid var(--line); padding-top: .5rem; padding-bottom: .5rem; }
th:first-child { position: sticky; left: 0; z-index: 1; white-space: normal;
  min-width: 10rem; max-width: 12rem; }
.whole { white-space: nowrap; }
thead th:first-child { z-index: 3; font-weight: 650; }
.way { color: var(--soft); font-weight: 400; margin-left: .3em; }
.dimension > * { border-top: 1px solid var(--line); }
.dimension th { color: var(--soft); font-weight: 650; padding-top: .9rem; }
tbody:first-of-type .dimension > * { border-top: 0; }
td { font-variant-numeric: tabular-nums; }
.spread { display: inline-block; text-align: left; font-size: .8em; color: var(--soft); }
.digits-1 { min-width: calc(3ch + 1.4em); }
.digits-3 { min-width: calc(5ch + 1.4em); }
.digits-4 { min-width: calc(6ch + 1.4em); }
.mark { display: inline-block; width: 1.1em; text-align: left; color: var(--accent); }
.best { font-weight: 700; }
.best .spread { font-weight: 400; }
.none { color: var(--soft); }
tr.ceiling > * { background: var(--ceiling); }
tr.floor > * { background: var(--floor); color: var(--soft); font-style: italic; }
.role { display: inline-block; margin-left: .5em; padding: 0 .45em; border: 1px solid currentcolor;
  border-radius: 2px; font-size: .72em; font-style: normal; letter-spacing: .03em; }
.glossary { display: grid; grid-template-columns: max-content minmax(0, 44rem); gap: .35rem 1.5rem;
  font-size: .95rem; margin: 0; }
.glossary dt { font-weight: 650; }
.glossary dd { margin: 0; }
figure { margin: 0 0 2.5rem; }
figure h3 { margin-top: 0; }
figure img { display: block; max-width: 100%; height: auto; background: #fff; padding: .5rem;
  border: 1px solid var(--line); border-radius: 4px; }
figcaption { max-width: 44rem; margin-top: .6rem; }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--line);
  color: var(--soft); font-size: .9rem; }
@media screen and (max-width: 42rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.55rem; }
  h2 { margin-top: 2.5rem; }
  .sentences, .glossary { grid-template-columns: minmax(0, 1fr); gap: .1rem; }
  .sentences dd, .glossary dd { margin-bottom: .9rem; }
  th, td { padding: .32rem .55rem; }
  th:first-child { min-width: 7rem; }
  .scroll { margin-left: -1rem; margin-right: -1rem; max-width: none; }
  th:first-child { padding-left: 1rem; }
  .dimension th:first-child { max-width: none; white-space: nowrap; }
}
@media print {
  html { font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  nav, fieldset { display: none; }
  .scroll { overflow: visible; max-height: none; }
  table { font-size: 6.8pt; }
  th, td { padding: .1rem .3rem; }
  thead th, th:first-child { position: static; }
  tr, figure, dd { break-inside: avoid; }
  h2, h3, .title { break-after: avoid; }
  tr.ceiling > *, tr.floor > *, thead th { print-color-adjust: exact; }
}
"""
