"""HTML pages of runs, evaluations and sweeps, without a network connection or an account.

Their content is read through `records`. Pictures are drawn in `pictures`.

A page is one file: a template of `templates/`, filled by Jinja2, which escapes all text. Style,
script and pictures are in it. Tables and texts need no script. Charts are plain data (`chart`) that
`figures.js` draws with Observable Plot (`vendor/plot.min.js`, 260 kB, ISC licence):

- Plot draws SVG, which is sharp on paper and takes its colours from the page, light or dark.
- It needs no `eval`, so a page can allow its own script alone.
- Vega-Lite with Vega takes 600 to 800 kB, and an interpreter to do without `eval`. Plotly takes
  4.5 MB in each run's folder. uPlot takes 50 kB, but draws pixels, no words and no histograms.
- None of them can be read with keyboard and screen reader alone. So each chart has a name and a
  table of its numbers.

The views of a sweep in which a job is selected in all charts at once, or a range on an axis, are
drawn by scripts of our own (`charts.js`, `selection.js`, `brush.js`): Plot has no linked views.
"""
