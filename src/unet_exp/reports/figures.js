// Draw the charts of the page with Observable Plot, each as wide as its figure.
(() => {
const colour = (series) => `var(--c${series.colour % 6})`;

/** Format a number with at most four significant digits, very small ones as 1.0e-4. */
function short(value) {
  if (typeof value !== "number") return value ?? "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

/** Return the points of a series as objects, without those that have no value. */
const points = (series) =>
  series.x
    .map((x, n) => ({ x, y: series.y[n], x2: series.x2[n], name: series.name }))
    .filter(({ x, y }) => x !== null && y !== null);

/** Return the marks of one series; `below` holds the heights of the bars drawn so far. */
function marks(series, spec, below) {
  const own = points(series);
  const fill = colour(series);
  if (series.mark === "line") {
    const line = Plot.line(own, { x: "x", y: "y", stroke: fill, strokeWidth: 2 });
    return own.length > 30 ? [line] : [line, Plot.dot(own, { x: "x", y: "y", fill, r: 2.5 })];
  }
  if (series.mark === "dots") return [Plot.dot(own, { x: "x", y: "y", fill, fillOpacity: 0.75, r: 4.5 })];
  if (series.mark === "intervals")
    return [
      Plot.link(own, { x1: "x", x2: "x2", y1: "y", y2: "y", stroke: fill, strokeWidth: 5, strokeOpacity: 0.5, strokeLinecap: "round" }),
    ];
  if (spec.y.kind === "words") return [Plot.barX(own, { x: "x", y: "y", fill, rx: 2 })];
  const stacked = own.map((bar) => {
    const y1 = below.get(bar.x) ?? 0;
    below.set(bar.x, y1 + bar.y);
    return { ...bar, y1, y2: y1 + bar.y };
  });
  return [Plot.rectY(stacked, { x1: "x", x2: "x2", y1: "y1", y2: "y2", fill, inset: 0.5 })];
}

/** Return what the pointer tells of a point. */
function told(spec, { x, y, x2, name }) {
  const [across, up] = [spec.x.label, spec.y.label];
  const head = name ? `${name}\n` : "";
  if (spec.y.kind === "words") return `${y}\n${across}: ${short(x)}${x2 == null ? "" : ` to ${short(x2)}`}`;
  const range = x2 == null ? short(x) : `${short(x)} to ${short(x2)}`;
  return `${head}${up}: ${short(y)}\n${across}: ${range}`;
}

/** Return the options of an axis. */
function scale(axis, room) {
  const kind = { words: "band", log: "log", linear: "linear" }[axis.kind];
  return {
    type: kind,
    label: null,
    ...(axis.domain && { domain: axis.domain }),
    ...(kind !== "band" && { ticks: Math.max(2, Math.round(room)), tickFormat: short }),
  };
}

function draw(figure) {
  const spec = JSON.parse(figure.querySelector("script").textContent);
  const box = figure.querySelector(".plot");
  const width = box.clientWidth;
  const words = spec.y.kind === "words" ? [...new Set(spec.series.flatMap(({ y }) => y))] : null;
  const height = words ? 30 * words.length + 40 : Math.min(300, Math.max(190, width * 0.5));
  const across = scale(spec.x, width / 80);
  // Labels of a log axis would overlap where it covers several decades.
  if (spec.x.kind === "log") across.tickFormat = (value) => (/^[12 5]/.test(value.toExponential()) ? short(value) : "");
  const below = new Map();
  const rules = Object.entries(spec.rules).map(([label, x]) => ({ label, x }));
  const all = spec.series.flatMap(points);
  const middle = all.length ? (Math.min(...all.map(({ x }) => x)) + Math.max(...all.map(({ x }) => x))) / 2 : 0;
  const plot = Plot.plot({
    width,
    height,
    marginTop: rules.length ? 26 : 12,
    marginRight: 14,
    marginBottom: 28,
    marginLeft: words ? Math.min(width * 0.42, 16 + 7 * Math.max(...words.map((word) => word.length))) : 48,
    style: { fontSize: "12px", background: "transparent", color: "inherit", overflow: "visible" },
    x: across,
    y: words ? { type: "band", domain: words, label: null, tickSize: 0 } : { ...scale(spec.y, height / 55), grid: true },
    marks: [
      words ? Plot.gridX({ strokeOpacity: 0.12 }) : [],
      rules.map((rule) => [
        Plot.ruleX([rule], { x: "x", stroke: "var(--soft)", strokeDasharray: "3 3" }),
        Plot.text([rule], {
          x: "x", text: "label", frameAnchor: "top", dy: -14, fill: "var(--soft)",
          textAnchor: rule.x > middle ? "end" : "start", dx: rule.x > middle ? 4 : -4,
        }),
      ]),
      spec.series.map((series) => marks(series, spec, below)),
      Plot.tip(all, Plot.pointer({ x: "x", y: "y", title: (point) => told(spec, point), fill: "var(--card)", stroke: "var(--line)" })),
    ].flat(3),
  });
  // A group without a role takes no name, and the chart has one.
  for (const group of plot.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", `${spec.title}. The table below holds the numbers.`);
  box.replaceChildren(plot);
}

const drawn = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const width = String(target.clientWidth);
    if (target.clientWidth === 0 || target.dataset.width === width) continue;
    target.dataset.width = width;
    draw(target.closest("figure"));
  }
});
for (const box of document.querySelectorAll("figure.chart .plot")) drawn.observe(box);
})();
