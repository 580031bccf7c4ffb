/** Light and dark by the reader's own choice, one column on a phone; no font or image is fetched. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f7f6f3; --card: #ffffff; --ink: #1c1d20; --soft: #5d6068; --line: #dcdad4;
  --good: #1f7a4d; --warn: #95600a; --bad: #b3261e; --none: #c9c7c0;
  --good-wash: #e3f2ea; --warn-wash: #fbeed6; --bad-wash: #fae3e1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15161a; --card: #1d1f24; --ink: #e9e8e4; --soft: #a3a6ae; --line: #33363d;
    --good: #5cc48d; --warn: #e3b053; --bad: #f2857d; --none: #3d4048;
    --good-wash: #17301f; --warn-wash: #372a10; --bad-wash: #3d1b19;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
main { max-width: 68rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); margin: 0 0 .6rem; }
p { margin: .25rem 0; overflow-wrap: anywhere; }
code { font: .9em ui-monospace, "SFMono-Regular", Menlo, monospace; overflow-wrap: anywhere; }
.verdict { border-radius: .75rem; padding: 1.1rem 1.25rem; margin-bottom: 1rem; }
.verdict p { color: var(--ink); }
.verdict p.soft { color: var(--soft); }
.verdict.good { background: var(--good-wash); } .verdict.good h1 { color: var(--good); }
.verdict.warn { background: var(--warn-wash); } .verdict.warn h1 { color: var(--warn); }
.verdict.bad { background: var(--bad-wash); } .verdict.bad h1 { color: var(--bad); }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem 1.1rem; min-width: 0; }
.wide { grid-column: 1 / -1; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-top: 1px solid var(--line); vertical-align: top; }
tr:first-child > * { border-top: 0; }
thead th { color: var(--soft); font-weight: 600; font-size: .85rem; white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.text { overflow-wrap: anywhere; min-width: 9rem; }
.soft { color: var(--soft); }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.big { font-size: 1.5rem; font-weight: 650; line-height: 1.2; }
.days { display: flex; gap: 1px; align-items: flex-end; height: 2.6rem; list-style: none; margin: 0; padding: 0; }
.days li { flex: 1 1 0; min-width: 0; height: 1.8rem; border-radius: 1px; position: relative; background: var(--good); }
.days li.none { background: none; border: 1px dashed var(--none); }
.days li.mixed { background: linear-gradient(to top, var(--good) 65%, var(--warn) 65%); }
.days li.bad { background: var(--bad); }
.days li.incident::before, .days li.deployment::after {
  content: ""; position: absolute; left: 50%; width: 5px; height: 5px; margin-left: -2.5px;
}
.days li.incident::before { top: -8px; background: var(--bad); border-radius: 50%; }
.days li.deployment::after { top: -8px; background: var(--ink); transform: rotate(45deg); }
.axis { display: flex; justify-content: space-between; color: var(--soft); font-size: .8rem; }
footer { color: var(--soft); margin-top: 1.5rem; font-size: .85rem; }
`;
