/** Colours in light and in dark. */
const colours = `
:root { color-scheme: light dark; --ink: #1b1e23; --paper: #fff; --faint: #8884; --soft: #667;
  --c0: #1f6fb4; --c1: #d1602a; --c2: #2c8a4b; --c3: #8d52ad; --c4: #b0861c; --c5: #c2397b; --c6: #1b8f99; --c7: #6b6f76; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --paper: #15181c; --faint: #8885; --soft: #a4abb5;
  --c0: #63b1f2; --c1: #f2935f; --c2: #6fcf8c; --c3: #c795e6; --c4: #e2bb55; --c5: #f07fb4; --c6: #5fd0da; --c7: #b5bac2; } }`

/** How drawings look. */
export const drawingStyle = `${colours}
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .title { font-weight: 600; font-size: 13px; } svg .small { font-size: 10px; }
.grid { stroke: var(--faint); stroke-width: 1; } .series { fill: none; stroke-width: 2; stroke: currentColor; } .mark { fill: currentColor; }
.cell { fill: var(--c0); } .paper { fill: var(--paper); }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); } .c3 { color: var(--c3); }
.c4 { color: var(--c4); } .c5 { color: var(--c5); } .c6 { color: var(--c6); } .c7 { color: var(--c7); }`

/** How a page with drawings looks. */
export const pageStyle = `${drawingStyle}
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; } .note { color: var(--soft); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th, td { padding: 0.25rem 0.7rem; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
pre { overflow-x: auto; padding: 0.8rem; border: 1px solid var(--faint); border-radius: 6px; font-size: 13px; }
svg { display: block; max-width: 100%; height: auto; margin: 1rem 0; }`
