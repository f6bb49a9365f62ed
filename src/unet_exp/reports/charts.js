// Plots in SVG. All views identify a job by its index in the data.

/** Return the job whose line is nearest to a point, if within `reach` pixels. */
function nearest(lines, x, y, reach = 22) {
  let found = null;
  let least = reach * reach;
  for (const { job, points } of lines) {
    for (let n = 0; n < points.length; n++) {
      const [x0, y0] = points[n];
      const [x1, y1] = points[Math.min(n + 1, points.length - 1)];
      const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
      const part = length
        ? Math.max(0, Math.min(1, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length))
        : 0;
      const distance = (x0 + part * (x1 - x0) - x) ** 2 + (y0 + part * (y1 - y0) - y) ** 2;
      if (distance < least) {
        least = distance;
        found = { job, point: part < 0.5 ? n : Math.min(n + 1, points.length - 1) };
      }
    }
  }
  return found;
}

/** Draw jobs as lines across an axis for each setting and one for the score. */
function parallel(box, jobs, settings, score) {
  const top = 44,
    height = 330,
    left = 46;
  const width = Math.max(box.clientWidth - 44, (settings.length + 1) * 70);
  const axes = [
    ...settings.map((setting) => ({
      name: setting.label,
      full: setting.key,
      ...settingScale(setting, jobs, 5),
    })),
    (() => {
      const scale = numberScale(jobs.map((job) => job.score));
      return { name: score, full: score, score: true, ...scale, of: (job) => scale.at(job.score) };
    })(),
  ];
  const across = (n) => left + (n * (width - left - 54)) / Math.max(1, axes.length - 1);
  const room = (width - left - 54) / Math.max(1, axes.length - 1);
  const order = jobs
    .filter((job) => job.score !== null || job.ended)
    .sort((a, b) => (a.good ?? -1) - (b.good ?? -1));
  const parts = Math.max(8, Math.min(40, Math.round(room / 9)));
  const lines = order.map((job) => {
    // Equal values are set a little apart by score, so that lines which meet can be told apart.
    const apart = ((job.good ?? 0) - 0.5) * 9;
    const stops = axes
      .map((axis, n) => [across(n), axis.of(job), axis.score ? 0 : apart])
      .filter(([, at]) => at !== null)
      .map(([x, at, shift]) => [x, top + (1 - at) * height - shift]);
    const points = stops.slice(0, 1);
    for (let n = 1; n < stops.length; n++) {
      for (let part = 1; part <= parts; part++) {
        const t = part / parts,
          eased = t * t * (3 - 2 * t);
        points.push([
          stops[n - 1][0] + t * (stops[n][0] - stops[n - 1][0]),
          stops[n - 1][1] + eased * (stops[n][1] - stops[n - 1][1]),
        ]);
      }
    }
    return { job, points, positions: axes.map((axis) => axis.of(job)) };
  });
  lines.axes = { across: axes.map((_, n) => across(n)), top, height };
  const svg = element(
    "svg",
    {
      width,
      height: top + height + 18,
      role: "img",
      "aria-label": "Parallel coordinates of settings and score",
    },
    element(
      "g",
      {},
      lines.map(({ job, points }) =>
        element("path", {
          class: `line ${kind(job)}`,
          d: path(points),
          "data-job": job.index,
          "--good": tone(job),
        }),
      ),
    ),
    axes.map((axis, n) =>
      element(
        "g",
        { "pointer-events": "none" },
        element("line", {
          class: "axis",
          x1: across(n),
          x2: across(n),
          y1: top,
          y2: top + height,
          "stroke-width": axis.score ? 2.5 : 1,
        }),
        element(
          "text",
          {
            class: "name",
            x: n ? (axis.score ? across(n) + 46 : across(n)) : across(n) - left,
            y: 18,
            "text-anchor": n ? (axis.score ? "end" : "middle") : "start",
          },
          cut(axis.name, Math.max(6, Math.floor(room / 8))),
          element("title", {}, axis.full),
        ),
        axis.ticks.map(({ at, label }) =>
          element(
            "text",
            {
              class: "halo",
              x: across(n) + (axis.score ? 8 : -8),
              y: top + (1 - at) * height + 4,
              "text-anchor": axis.score ? "start" : "end",
            },
            cut(label, n ? Math.max(4, Math.floor(room / 9)) : 7),
          ),
        ),
      ),
    ),
  );
  fill(box, svg);
  return lines;
}

/** Draw an empty plot with its axes; data go into `inner`. */
function frame(width, height, across, up, { left = 44, name = "", below = "", label = "" } = {}) {
  const top = name ? 26 : 8,
    right = 10,
    bottom = below ? 40 : 26;
  const x = (at) => left + at * (width - left - right);
  const y = (at) => top + (1 - at) * (height - top - bottom);
  const wide = (width - left - right) / Math.max(1, across.ticks.length);
  const inner = element("g");
  const svg = element(
    "svg",
    { width, height, role: "img", "aria-label": label },
    up.ticks.map(({ at, label: text }) => [
      element("line", { class: "gridline", x1: left, x2: width - right, y1: y(at), y2: y(at) }),
      element("text", { x: left - 8, y: y(at) + 4, "text-anchor": "end" }, text),
    ]),
    across.ticks.map(({ at, label: text }) =>
      element(
        "text",
        { x: x(at), y: height - bottom + 18, "text-anchor": "middle" },
        cut(text, Math.max(3, Math.floor(wide / 7))),
        element("title", {}, text),
      ),
    ),
    element("line", { class: "axis", x1: left, x2: width - right, y1: y(0), y2: y(0) }),
    name
      ? element(
          "text",
          { class: "name", x: 0, y: 12 },
          cut(name, Math.floor(width / 7.6)),
          element("title", {}, name),
        )
      : null,
    below
      ? element("text", { x: width - right, y: height - 4, "text-anchor": "end" }, below)
      : null,
    inner,
  );
  return { svg, inner, x, y };
}

/** Draw the score against one setting, with the mean at each value if there are few. */
function scatter(box, jobs, setting, score) {
  const scored = jobs.filter((job) => job.score !== null && job.values[setting.index] !== null);
  const across = settingScale(setting, jobs, 4);
  const up = numberScale(
    jobs.map((job) => job.score),
    { count: 4 },
  );
  const width = box.clientWidth;
  const { svg, inner, x, y } = frame(width, 210, across, up, {
    name: setting.key,
    label: `${score} against ${setting.key}`,
  });
  const groups = new Map();
  for (const job of scored)
    groups.set(job.values[setting.index], [...(groups.get(job.values[setting.index]) ?? []), job]);
  const gap = Math.min(0.5 / Math.max(1, groups.size), 0.06);
  const lines = [];
  for (const members of groups.values()) {
    const finished = members.filter((job) => job.good !== null);
    const mean = finished.reduce((sum, job) => sum + job.score, 0) / finished.length;
    const middle = across.of(members[0]);
    if (groups.size <= 12 && finished.length > 1)
      inner.append(
        element("line", {
          class: "mean",
          x1: x(middle) - 13,
          x2: x(middle) + 13,
          y1: y(up.at(mean)),
          y2: y(up.at(mean)),
        }),
      );
  }
  for (const job of [...scored].sort((a, b) => (a.good ?? -1) - (b.good ?? -1))) {
    const members = groups.get(job.values[setting.index]);
    const aside = members.length > 1 ? (((members.indexOf(job) * 0.618) % 1) - 0.5) * gap : 0;
    const point = [x(across.of(job) + aside), y(up.at(job.score))];
    inner.append(
      element("circle", {
        class: `point ${kind(job)}`,
        cx: point[0],
        cy: point[1],
        r: 5,
        "data-job": job.index,
        "--good": tone(job),
      }),
    );
    lines.push({ job, points: [point] });
  }
  fill(box, svg);
  return lines;
}

/** Draw one metric of all jobs against steps or seconds. */
function curves(box, jobs, metric, by) {
  const drawn = jobs
    .filter((job) => job.curves.metrics[metric])
    .map((job) => ({
      job,
      values: job.curves[by]
        .map((at, n) => [at, job.curves.metrics[metric][n]])
        .filter(([at, value]) => at !== null && value !== null),
    }))
    .filter(({ values }) => values.length)
    .sort((a, b) => (a.job.good ?? -1) - (b.job.good ?? -1));
  const all = drawn.flatMap(({ values }) => values);
  const ups = all.map(([, value]) => value);
  const low = ups.reduce((a, b) => Math.min(a, b), Infinity),
    high = ups.reduce((a, b) => Math.max(a, b), -Infinity);
  const across = numberScale(
    drawn.flatMap(({ values }) => [values[0][0], values.at(-1)[0]]),
    { count: Math.max(2, Math.min(7, Math.floor(box.clientWidth / 90))), pad: 0.015 },
  );
  const up = numberScale([low, high], { log: low > 0 && high > 20 * low, count: 6, pad: 0.05 });
  const { svg, inner, x, y } = frame(box.clientWidth, 360, across, up, {
    left: 52,
    below: by === "steps" ? "step" : "seconds",
    label: `${metric} of all jobs`,
  });
  const lines = drawn.map(({ job, values }) => ({
    job,
    values,
    points: values.map(([at, value]) => [x(across.at(at)), y(up.at(value))]),
  }));
  for (const { job, points } of lines) {
    const style = { class: `line ${kind(job)}`, "data-job": job.index, "--good": tone(job) };
    inner.append(
      points.length > 1
        ? element("path", { ...style, d: path(points) })
        : element("circle", { ...style, class: "point", cx: points[0][0], cy: points[0][1], r: 4 }),
    );
  }
  fill(box, svg);
  return lines;
}

/** Draw the scores of a group on one line: a dot for each job, mean and deviation. */
function dots(members, mean, deviation, scale, width = 220) {
  const x = (value) => 6 + scale.at(value) * (width - 12);
  return element(
    "svg",
    { width, height: 22 },
    element("line", { class: "gridline", x1: 0, x2: width, y1: 11, y2: 11 }),
    deviation
      ? element("line", {
          class: "spread",
          x1: x(mean - deviation),
          x2: x(mean + deviation),
          y1: 11,
          y2: 11,
        })
      : null,
    members.map((job) =>
      element("circle", {
        class: "point",
        cx: x(job.score),
        cy: 11,
        r: 4.5,
        "data-job": job.index,
        "--good": tone(job),
      }),
    ),
    element("line", { class: "mean", x1: x(mean), x2: x(mean), y1: 3, y2: 19 }),
  );
}
