const light = `--page:#f6f7f9;--card:#fff;--ink:#15191f;--muted:#566070;--line:#dfe3e9;--good:#0b6b3a;--good-back:#e2f4ea;--bad:#a8201a;--bad-back:#fdeae8;--dull-back:#eceff3;
--series-1:#1f5fc4;--series-2:#c2500f;--series-3:#0d7c68;--series-4:#7b3fbd;--series-5:#b62f68;--series-6:#6a6a00;
--part-1:#123c73;--part-2:#1f6fb5;--part-3:#3098ad;--part-4:#3f9d74;--part-5:#8a9a2b;--part-6:#c98a12;--part-7:#cf5f2c;--part-8:#8e8e98;`;
const dark = `--page:#0f1216;--card:#181c22;--ink:#e8ebf0;--muted:#a0a9b6;--line:#2c333d;--good:#63d397;--good-back:#12301f;--bad:#ff8f86;--bad-back:#3b1a18;--dull-back:#262c35;
--series-1:#6fa8ff;--series-2:#ff9a5c;--series-3:#45cbb0;--series-4:#c39dff;--series-5:#ff87b2;--series-6:#cfd052;
--part-1:#5b8fd8;--part-2:#5fb4ee;--part-3:#58ccd6;--part-4:#66cf9f;--part-5:#b6c95a;--part-6:#eebb4d;--part-7:#f58c5c;--part-8:#9aa0ab;`;

/** Of report.html. Colours are variables, which the drawings use too; a reader's choice of dark or light decides them. */
export const pageStyle = `
:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:1180px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:30px;line-height:1.15;letter-spacing:-.02em;margin:0 0 6px;text-wrap:balance}
h2{font-size:20px;letter-spacing:-.01em;margin:44px 0 4px}
h3{font-size:14px;font-weight:600;margin:0 0 8px}
p{margin:0 0 12px;max-width:75ch}
.sub,.note{color:var(--muted)}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;margin:10px 0 0;padding:0}
.legend.small{font-size:12px;gap:2px 12px;margin-top:6px;color:var(--muted)}
i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:7px;vertical-align:-1px}
.key{position:sticky;top:0;background:var(--page);padding:8px 0;margin:20px 0 0;border-bottom:1px solid var(--line);z-index:1}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:24px 0 0}
.tile,figure,.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;margin:0}
.tile b{display:block;font-size:26px;line-height:1.2;font-variant-numeric:tabular-nums;letter-spacing:-.02em}
.tile span{color:var(--muted);font-size:13px}
.caveats{border-color:var(--bad);margin-top:20px}
.caveats ul{margin:0;padding-left:18px}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:12px;margin-top:12px}
figure svg{display:block;width:100%;height:auto;max-width:420px}
svg text{font-family:inherit}
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;margin-top:12px}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{padding:6px 12px;text-align:left;font-weight:400;white-space:nowrap;border-bottom:1px solid var(--line)}
tbody:last-child tr:last-child>*{border-bottom:0}
thead th{white-space:normal;vertical-align:bottom;color:var(--muted);font-size:12px}
.n{text-align:right;font-variant-numeric:tabular-nums}
.dull,small{color:var(--muted)}
small{font-size:12px}
.group th{font-weight:600;padding-top:14px}
.plot{padding-block:0}
.plot svg{display:block}
.plot text{font-size:10.5px;fill:var(--muted)}
.one{stroke:var(--muted);stroke-width:1;stroke-dasharray:2 2}
.badge{display:inline-block;border-radius:99px;padding:1px 9px;font-size:12px;font-weight:600;background:var(--dull-back);color:var(--muted)}
.badge.met{background:var(--good-back);color:var(--good)}
.badge.MISSED{background:var(--bad-back);color:var(--bad)}
.badge.not{font-weight:400}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
code{font:12.5px ui-monospace,SFMono-Regular,Menlo,monospace}
a{color:var(--series-1)}
@media (max-width:520px){main{padding:20px 14px 48px}h1{font-size:24px}dl{grid-template-columns:1fr}dt{margin-top:6px}}
@media print{.key{position:static}figure,.tile{break-inside:avoid}}
`;
