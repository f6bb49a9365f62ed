// The sections of the page, drawn once all scripts are loaded.

function head() {
  const began = data.started && new Date(data.started);
  const when =
    began && !Number.isNaN(began.getTime())
      ? began.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })
      : data.started;
  at("eyebrow").textContent = ["Sweep", data.sweeper, when].filter(Boolean).join("  ·  ");
  fill(
    at("command"),
    element("code", { title: data.command }, data.command),
    data.command ? copier(data.command) : null,
  );
  const counts = Object.entries(data.counts);
  fill(
    at("states"),
    element(
      "div",
      { class: "share" },
      counts.map(([state, count]) =>
        element("i", { "data-state": state, style: `flex: ${Number(count)}` }),
      ),
    ),
    element(
      "div",
      { class: "legend" },
      counts.map(([state, count]) =>
        element("span", { "data-state": state }, element("b", {}, count), ` ${state}`),
      ),
    ),
  );
  const best = jobs.find((job) => job.rank === 1);
  const ranked = jobs
    .filter((job) => job.rank)
    .map((job) => job.score)
    .sort((a, b) => a - b);
  const middle = ranked.length
    ? (ranked[(ranked.length - 1) >> 1] + ranked[ranked.length >> 1]) / 2
    : null;
  const spent = jobs.reduce((sum, job) => sum + (job.seconds ?? 0), 0);
  fill(
    at("tiles"),
    element(
      "button",
      {
        class: "tile",
        type: "button",
        disabled: !best,
        onclick: () => best && !selected.has(best.index) && select(best.index),
      },
      element("small", {}, best ? `Best ${score}: job ${best.name}` : `Best ${score}`),
      element("strong", {}, best ? formatScore(best.score) : "–"),
      element("small", {}, best ? describe(best) : "No job has finished yet."),
    ),
    tile(
      `Median ${score}`,
      formatScore(middle),
      data.mode === "max" ? "higher is better" : "lower is better",
    ),
    tile("Jobs", jobs.length, `${ranked.length} finished with a score`),
    tile(
      "Time of all jobs",
      formatDuration(spent),
      ranked.length
        ? `${formatDuration(spent / Math.max(1, jobs.filter((job) => job.seconds).length))} a job`
        : "",
    ),
  );
  fill(
    at("footer"),
    data.state === "running" ? "The sweep was running when this page was written. " : "",
    element("code", {}, data.renew),
    " writes it anew.",
    data.group
      ? element(
          "span",
          {},
          " On W&B: ",
          element("a", { href: data.group, rel: "noreferrer" }, data.group),
        )
      : "",
  );
}

const tile = (label, value, note) =>
  element(
    "div",
    { class: "tile" },
    element("small", {}, label),
    element("strong", {}, value),
    element("small", {}, note),
  );

function repeats() {
  if (!data.repeats.some((group) => group.jobs.length > 1)) return;
  at("repeats").hidden = false;
  const members = (group) => group.jobs.map((index) => jobs[index]);
  const scale = numberScale(
    data.repeats.flatMap((group) => members(group).map((job) => job.score)),
  );
  const others = data.scores.filter((name) => name !== data.monitor);
  const both = (group, name) => {
    const deviation = group.deviation[name];
    const known = deviation !== null && Number.isFinite(deviation);
    const spread = known ? ` ± ${formatShort(Number(deviation.toPrecision(2)))}` : "";
    return formatScore(group.mean[name]) + spread;
  };
  const heads = [
    "settings",
    "jobs",
    score,
    "spread",
    ...others.map(named),
  ];
  fill(
    inside("repeats", ".scroll"),
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          heads.map((text) => element("th", { class: "plain", scope: "col" }, text)),
        ),
      ),
      element(
        "tbody",
        {},
        data.repeats.map((group) =>
          element(
            "tr",
            {},
            element("td", {}, group.label || "all"),
            element("td", {}, group.jobs.length),
            element("td", { class: "score" }, both(group, data.monitor)),
            element(
              "td",
              {},
              dots(members(group), group.mean[data.monitor], group.deviation[data.monitor], scale),
            ),
            others.map((name) => element("td", {}, both(group, name))),
          ),
        ),
      ),
    ),
  );
  for (const dot of at("repeats").querySelectorAll("circle")) {
    const job = Number(dot.dataset.job);
    dot.addEventListener("pointermove", (event) => hover(job, event));
    dot.addEventListener("pointerleave", () => hover(null));
    dot.addEventListener("click", (event) => select(job, several(event)));
  }
}

function plots() {
  if (varied.length && jobs.some((job) => job.score !== null)) {
    at("parallel").hidden = at("scatter").hidden = false;
    const wide = inside("parallel", ".chart");
    const drawn = listen(wide, (box) => {
      const lines = parallel(box, jobs, varied, score);
      drawRanges(box, lines);
      return lines;
    });
    brush(wide, drawn.lines);
    const grid = inside("scatter", ".grid");
    for (const setting of varied)
      listen(grid.appendChild(element("div", { class: "chart" })), (box) =>
        scatter(box, jobs, setting, score),
      );
  }
  if (!data.curves.length) return;
  at("curves").hidden = false;
  let metric = data.curves[0],
    by = "steps";
  const box = inside("curves", ".chart");
  const { redraw } = listen(
    box,
    () => curves(box, jobs, metric, by),
    ({ job, point }, lines) => {
      const [where, value] = lines.find((line) => line.job === job).values[point];
      const unit = by === "steps" ? "step" : "second";
      return `${metric} ${formatShort(value)} at ${unit} ${formatShort(where)}`;
    },
  );
  const buttons = ["steps", "seconds"].map((name) =>
    element(
      "button",
      {
        type: "button",
        "aria-pressed": String(name === by),
        onclick: () => {
          by = name;
          buttons.forEach((button) =>
            button.setAttribute("aria-pressed", String(button.textContent === name)),
          );
          redraw();
        },
      },
      name,
    ),
  );
  fill(
    inside("curves", ".controls"),
    element(
      "select",
      {
        "aria-label": "quantity",
        onchange: (event) => {
          metric = event.target.value;
          redraw();
        },
      },
      data.curves.map((name) => element("option", { value: name }, name)),
    ),
    element("span", { class: "segments" }, buttons),
  );
}

function commands() {
  inside("commands", "summary").textContent = `The commands of ${jobs.length} jobs`;
  fill(
    inside("commands", "ol"),
    ...jobs.map((job) =>
      element(
        "li",
        {},
        element("span", {}, job.name),
        element("code", {}, job.command),
        copier(job.command),
      ),
    ),
  );
}

head();
table();
repeats();
plots();
commands();
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !at("large").open && selected.size) {
    selected.clear();
    mark();
  }
});
