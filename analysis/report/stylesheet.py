"""How a report looks: on a telephone, on a wide screen and on paper."""

STYLESHEET = """
:root { --ink: #1d1d1f; --soft: #5b5f66; --line: #dadde2; --wash: #f6f7f9; --mark: #0b5080; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; color: var(--ink); background: #fff; font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue",
  Arial, sans-serif; overflow-wrap: break-word; }
.page { max-width: 96rem; margin: 0 auto; padding: 1.5rem clamp(1rem, 3vw, 2.5rem) 4rem; }
main { min-width: 0; max-width: 76rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p, ul, dl, details { max-width: 46rem; margin: .6rem 0; }
ul { padding-left: 1.2rem; }
li { margin: .2rem 0; }
a { color: var(--mark); }
.lead { font-size: 1.15rem; line-height: 1.45; border-left: 4px solid var(--mark); padding: .25rem 0 .25rem 1rem; }
.soft, figcaption, caption, .absent, footer { color: var(--soft); }
code, pre { font: .85em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { background: var(--wash); padding: .1em .3em; border-radius: 3px; overflow-wrap: anywhere; }
pre { background: var(--wash); border: 1px solid var(--line); border-radius: 4px; padding: .75rem; margin: .5rem 0;
  max-height: 28rem; overflow: auto; user-select: all; white-space: pre; }
nav ul { list-style: none; padding: 0; max-width: none; display: flex; flex-wrap: wrap; gap: .1rem 1.3rem; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
figure { margin: 1.25rem 0 2rem; }
.scroll { overflow-x: auto; max-width: 100%; }
svg { display: block; max-width: 100%; height: auto; }
svg * { stroke-linejoin: round; stroke-linecap: butt; }
figcaption, caption { font-size: .9rem; line-height: 1.45; text-align: left; }
figcaption { margin-top: .5rem; max-width: 46rem; }
caption { max-width: min(46rem, calc(100vw - 2.5rem)); padding-bottom: .4rem; }
figcaption b, caption b { color: var(--ink); }
table { border-collapse: collapse; max-width: 100%; font-size: .88rem; line-height: 1.35;
  font-variant-numeric: tabular-nums; border-bottom: 1.5px solid var(--ink); }
.tabled { margin: 1.25rem 0 .5rem; }
th, td { padding: .28rem .6rem; text-align: left; vertical-align: top; }
th { border: solid var(--ink); border-width: 1.5px 0 1px; font-weight: 600; vertical-align: bottom; }
th:first-child, td:first-child { padding-left: .2rem; }
tbody tr:nth-child(even) { background: var(--wash); }
.r { text-align: right; }
td.r { white-space: nowrap; }
td:not(.r) { min-width: 5.5rem; max-width: 19rem; overflow-wrap: anywhere; }
td:first-child:not(.r) { max-width: 34rem; }
.many table { font-size: .7rem; }
.many :is(th, td) { padding: .28rem .25rem; }
.many td:not(.r) { min-width: 4.3rem; }
summary { cursor: pointer; color: var(--mark); font-size: .9rem; }
dt { font-weight: 600; font-size: .9rem; margin-top: .5rem; }
dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 3rem; font-size: .85rem; border-top: 1px solid var(--line); padding-top: .75rem; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
@media (min-width: 36rem) { dl { display: grid; grid-template-columns: 11rem 1fr; } dt, dd { margin-top: .3rem; } }
@media (min-width: 48rem) {
  .narrow { display: grid; grid-template-columns: auto minmax(0, 1fr); column-gap: 1.5rem; align-items: center; }
}
@media (min-width: 100rem) {
  .page { display: grid; grid-template-columns: 13rem minmax(0, 1fr); column-gap: 3rem; }
  header, footer { grid-column: 2; }
  nav ul { display: block; }
  nav { grid-column: 1; grid-row: 1 / span 3; position: sticky; top: 1.5rem; align-self: start; font-size: .92rem; }
  main { grid-column: 2; }
}
@media print {
  @page { margin: 15mm; }
  body { font-size: 10pt; }
  .page { display: block; padding: 0; max-width: none; }
  nav, details { display: none; }
  .scroll { overflow: visible; }
  svg { min-width: 0 !important; }
  table { font-size: 7pt; width: auto; }
  caption { max-width: none; }
  th, td { padding: .12rem .3rem; }
  figure, tr, .lead { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""
