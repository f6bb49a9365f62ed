"""HTML pages of runs, evaluations and sweeps, without a network connection or an account.

Their content is read through `records`. The room `pictures` draws the pictures.

A page is one file: a template of `templates/`, filled by Jinja2, which escapes all text. It
includes style, scripts and pictures. Tables and texts need no script. Charts are plain data
(`chart`) that `figures.js` draws with Observable Plot (`vendor/plot.min.js`, 260 kB, ISC licence):

- Plot draws SVG, which is sharp in print and takes its colours from the page, light or dark.
- It needs no `eval`, so a page can allow only its own script.
- Vega-Lite with Vega takes 600 to 800 kB, and needs an interpreter if `eval` is not allowed. Plotly
  takes 4.5 MB in each run's folder. uPlot takes 50 kB, but draws pixels, and has no categories and
  no histograms.
- None of them can be read with only keyboard and screen reader. So each chart has a name and a
  table of its numbers.

In the views of a sweep, a job can be selected in all charts at once, and a range on an axis. The
project's own scripts draw them (`charts.js`, `selection.js`, `brush.js`), because Plot has no
linked views.
"""
