// The table of jobs, sorted by any column.

function table() {
  const others = data.scores.filter((name) => name !== data.monitor);
  const value = (setting) => (job) => (setting.numeric ? job.numbers : job.values)[setting.index];
  const columns = [
    {
      head: "job",
      of: (job) => job.name,
      cell: (job) =>
        element(
          "td",
          {},
          job.name,
          job.rank === 1 ? element("span", { class: "star", title: "the best" }, " ★") : null,
        ),
    },
    ...settings.map((setting) => ({
      head: setting.label,
      title: setting.key,
      right: setting.numeric,
      of: value(setting),
      cell: (job) =>
        element(
          "td",
          { class: setting.numeric ? "right" : null, title: job.values[setting.index] },
          cut(job.values[setting.index] ?? "–", 40),
        ),
    })),
    {
      head: "state",
      of: (job) => job.state,
      cell: (job) =>
        element(
          "td",
          {},
          element(
            "span",
            { class: "dot", "data-state": job.state },
            job.state,
            job.state === "running" && job.progress ? ` ${Math.round(100 * job.progress)} %` : "",
          ),
          job.error ? element("span", { class: "error", title: job.error }, job.error) : null,
        ),
    },
    {
      head: score,
      title: data.monitor,
      down: data.mode === "max",
      of: (job) => job.score,
      cell: (job) =>
        element(
          "td",
          { class: "score" },
          formatScore(job.score),
          job.rank
            ? element(
                "span",
                { class: "meter" },
                element("i", { style: `width: ${Math.round(100 * job.share)}%` }),
              )
            : null,
        ),
    },
    ...others.map((name) => ({
      head: named(name),
      title: name,
      right: true,
      of: (job) => job.scores[name] ?? null,
      cell: (job) => element("td", { class: "right" }, formatScore(job.scores[name])),
    })),
    {
      head: "time",
      right: true,
      of: (job) => job.seconds,
      cell: (job) =>
        element(
          "td",
          { class: "right" },
          job.state === "running" && job.left !== null
            ? `${formatDuration(job.left)} left`
            : formatDuration(job.seconds),
        ),
    },
  ];
  const rows = jobs.map((job) =>
    element(
      "tr",
      {
        "data-job": job.index,
        "--good": tone(job),
        tabindex: 0,
        onclick: (event) => select(job.index, several(event)),
        onkeydown: (event) => {
          if (event.key === "Enter" && event.target === event.currentTarget)
            select(job.index, several(event));
        },
        onpointerenter: () => hover(job.index),
        onpointerleave: () => hover(null),
      },
      columns.map((column) => column.cell(job)),
      element("td", {}, copier(job.command)),
    ),
  );
  const body = element("tbody");
  const heads = columns.map((column) =>
    element(
      "th",
      { scope: "col", class: column.right ? "right" : null, title: column.title },
      element("button", { type: "button", onclick: () => sort(column) }, column.head),
    ),
  );
  let by = null,
    descending = false;
  function sort(column) {
    descending = column === by ? !descending : Boolean(column.down);
    by = column;
    const order = [...jobs].sort((a, b) => {
      const [one, two] = [column.of(a), column.of(b)];
      if (one === null || two === null) return (one === null) - (two === null) || a.index - b.index;
      const more =
        typeof one === "number"
          ? one - two
          : String(one).localeCompare(String(two), undefined, { numeric: true });
      return (descending ? -more : more) || a.index - b.index;
    });
    fill(body, ...order.map((job) => rows[job.index]));
    heads.forEach((cell, n) =>
      columns[n] === by
        ? cell.setAttribute("aria-sort", descending ? "descending" : "ascending")
        : cell.removeAttribute("aria-sort"),
    );
  }
  fill(
    inside("jobs", ".scroll"),
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, heads, element("th", { class: "plain", scope: "col" }, "command"))),
      body,
    ),
  );
  sort(columns.find((column) => column.head === score && column.title === data.monitor));
}
