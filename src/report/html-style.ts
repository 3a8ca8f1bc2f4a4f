/** The style of report.html, inline because the file stands alone. Colours follow the reader's light or dark scheme. */
export const HTML_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfbfa; --card: #ffffff; --ink: #1d2125; --soft: #646b73; --line: #e3e5e8; --track: #eceef0;
  --pass: #1a7f4b; --warn: #a86500; --fail: #c02f3a; --inconclusive: #7a4fb5; --accent: #3b6fb6;
  --w2: #d3e3f5; --w3: #b4cfee; --w4: #93b9e4; --w5: #72a1d8; --w6: #5389c9; --w7: #3a71b4; --w8: #27599a;
  --wf: #8b949e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181c; --card: #1c2025; --ink: #e4e7ea; --soft: #98a1ab; --line: #2d333a; --track: #2a3037;
    --pass: #4cc38a; --warn: #e0a33e; --fail: #f07178; --inconclusive: #b892f0; --accent: #7fb0ee;
    --w2: #233a54; --w3: #2b4b70; --w4: #345e8e; --w5: #4273ab; --w6: #588cc7; --w7: #79a8dd; --w8: #a0c5ef;
    --wf: #6e7781;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
header { display: flex; align-items: center; gap: 1rem; flex-wrap: wrap; margin-bottom: 2rem; }
h1 { font-size: 1.35rem; font-weight: 600; margin: 0; }
h2 { font-size: 1rem; font-weight: 600; margin: 2.5rem 0 0.75rem; }
.verdict { color: var(--card); border-radius: 99px; padding: 0.25rem 0.9rem; font-weight: 650; letter-spacing: 0.04em; }
.soft, th, dt { color: var(--soft); font-weight: 400; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.25rem; overflow-x: auto; }
.checks { display: grid; gap: 0.75rem; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
.check strong { display: block; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.check svg { display: block; width: 100%; height: 22px; margin: 0.5rem 0 0.25rem; }
.outcome { float: right; font-size: 0.85rem; }
.is-pass { color: var(--pass); } .is-warn { color: var(--warn); }
.is-fail { color: var(--fail); } .is-inconclusive { color: var(--inconclusive); }
.on-pass { background: var(--pass); } .on-warn { background: var(--warn); }
.on-fail { background: var(--fail); } .on-inconclusive { background: var(--inconclusive); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.2rem 0.9rem 0.2rem 0; white-space: nowrap; }
th.number, td.number { text-align: right; }
td.wide { width: 100%; min-width: 6rem; }
tr.chosen td { font-weight: 600; }
code, pre { font-family: ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; font-size: 0.9em; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.25rem; margin: 0; }
dd { margin: 0; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.1rem; }
.bar { display: block; width: 100%; height: 10px; }
.strip { display: block; width: 100%; height: 18px; margin-bottom: 0.75rem; border-radius: 4px; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin-bottom: 0.75rem; }
.legend i { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; margin-right: 0.4em; }
.pareto { display: block; width: 100%; height: auto; margin-bottom: 0.75rem; }
.scatter { display: block; width: 100%; max-width: 26rem; height: auto; margin: 0 auto 0.75rem; }
`;
