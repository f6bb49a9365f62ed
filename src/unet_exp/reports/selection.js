// The jobs of the sweep, and which of them are hovered and selected in all views.

const data = JSON.parse(document.getElementById("data").textContent);
const jobs = data.jobs.map((job, index) => ({ ...job, index }));
const settings = data.settings.map((setting, index) => ({ ...setting, index }));
const varied = settings.filter((setting) => setting.varied);
const score = data.score;
const named = (name) => data.names[data.scores.indexOf(name)];
const at = (id) => document.getElementById(id);
const inside = (id, selector) => at(id).querySelector(selector);
const selected = new Set();
let hot = null;

/** Format a duration, with its units. */
function formatDuration(seconds) {
  if (seconds === null) return "–";
  const [whole, minutes] = [Math.round(seconds), Math.round(seconds / 60)];
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const describe = (job) =>
  settings
    .filter(({ index }) => job.values[index] !== null)
    .map((setting) => `${setting.label}=${job.values[setting.index]}`)
    .join("  ");

/** Return a button that copies a text, also on pages without a secure context. */
function copier(text, label = "copy") {
  return element(
    "button",
    {
      class: "copy",
      type: "button",
      title: "Copy the command",
      onclick: async (event) => {
        event.stopPropagation();
        const button = event.currentTarget;
        let done = false;
        try {
          await navigator.clipboard.writeText(text);
          done = true;
        } catch {
          const area = document.body.appendChild(element("textarea", {}, text));
          area.select();
          done = document.execCommand("copy");
          area.remove();
        }
        button.textContent = done ? "copied" : "failed";
        setTimeout(() => {
          button.textContent = label;
        }, 1200);
      },
    },
    label,
  );
}

const shownAs = (job) => document.querySelectorAll(`[data-job="${job}"]`);

/** Show in all views which jobs are selected or hidden. */
function mark() {
  for (const shown of document.querySelectorAll("[data-job]")) {
    const job = Number(shown.dataset.job);
    shown.classList.toggle("selected", selected.has(job));
    if (shown.tagName === "TR") shown.setAttribute("aria-selected", selected.has(job));
  }
  for (const job of selected) raise(job);
  for (const job of outside) for (const shown of shownAs(job)) shown.classList.add("out");
  for (const chart of document.querySelectorAll(".chart"))
    chart.classList.toggle("picked", selected.size > 0);
  card();
}

/** Draw a job's lines and dots above the others. */
function raise(job) {
  for (const shown of shownAs(job))
    if (shown.matches("path, circle")) shown.parentNode.append(shown);
}

/** Highlight a job in all views, and show a tooltip at the pointer. */
function hover(job, event = null, extra = "") {
  if (job !== hot) {
    if (hot !== null) for (const shown of shownAs(hot)) shown.classList.remove("hot");
    hot = job;
    if (hot !== null) {
      raise(hot);
      for (const shown of shownAs(hot)) shown.classList.add("hot");
    }
  }
  const tip = at("tip");
  tip.hidden = job === null || !event;
  if (tip.hidden) return;
  const { name, score: value, state } = jobs[job];
  fill(
    tip,
    element("b", {}, `job ${name}  `),
    extra || (value === null ? state : `${score} ${formatScore(value)}`),
    element("div", {}, describe(jobs[job])),
  );
  const { offsetWidth: wide, offsetHeight: high } = tip;
  tip.style.left = `${Math.max(6, Math.min(event.clientX + 16, innerWidth - wide - 8))}px`;
  const below = event.clientY + 18;
  tip.style.top = `${below + high > innerHeight ? event.clientY - high - 12 : below}px`;
}

/** Select a job, or deselect it; with `several` the others stay selected. */
function select(job, several) {
  const was = selected.has(job);
  if (!several) selected.clear();
  if (was) selected.delete(job);
  else selected.add(job);
  mark();
}

const several = (event) => event.ctrlKey || event.metaKey || event.shiftKey;

/** Draw a chart; hover and select the line or dot that is nearest to the pointer. */
function listen(box, draw, told = () => "") {
  let lines = [];
  const found = (event) => {
    const edge = box.querySelector("svg")?.getBoundingClientRect();
    return edge
      ? nearest(
          lines.filter(({ job }) => !outside.has(job.index)),
          event.clientX - edge.left,
          event.clientY - edge.top,
        )
      : null;
  };
  box.classList.add("hits");
  // Handle only the last of the many moves between two frames.
  let last = null;
  const follow = () => {
    const hit = last && found(last);
    hover(hit ? hit.job.index : null, last, hit ? told(hit, lines) : "");
    last = null;
  };
  box.addEventListener("pointermove", (event) => {
    if (!last) requestAnimationFrame(follow);
    last = event;
  });
  box.addEventListener("pointerleave", () => {
    last = null;
    hover(null);
  });
  box.addEventListener("click", (event) => {
    const hit = found(event);
    if (hit) select(hit.job.index, several(event));
    else if (selected.size) {
      selected.clear();
      mark();
    }
  });
  let width = 0;
  const redraw = () => {
    width = box.clientWidth;
    lines = draw(box);
    mark();
  };
  new ResizeObserver(() => {
    if (Math.abs(box.clientWidth - width) > 1) redraw();
  }).observe(box);
  redraw();
  return { redraw, lines: () => lines };
}

/** Show the details of the job that was selected last. */
function card() {
  const job = jobs[[...selected].at(-1)];
  const box = at("card");
  box.hidden = !job;
  if (!job) return;
  const more = selected.size > 1 ? `  and ${selected.size - 1} more` : "";
  const known = settings.filter(({ index }) => job.values[index] !== null);
  fill(
    box,
    element(
      "div",
      { class: "top" },
      element("h3", {}, `Job ${job.name}`, more),
      element(
        "button",
        {
          class: "quiet",
          type: "button",
          onclick: () => {
            selected.clear();
            mark();
          },
        },
        "Close",
      ),
    ),
    element(
      "span",
      { class: "dot", "data-state": job.state },
      job.state,
      job.rank ? `, ${job.rank} of ${jobs.filter((one) => one.rank).length} by ${score}` : "",
    ),
    job.error ? element("span", { class: "error" }, job.error) : null,
    element("div", { class: "run" }, element("code", {}, job.command), copier(job.command)),
    element(
      "dl",
      {},
      known.map(({ key, index }) => [element("dt", {}, key), element("dd", {}, job.values[index])]),
      Object.entries(job.scores).map(([name, value]) => [
        element("dt", {}, name),
        element("dd", {}, formatScore(value)),
      ]),
      element("dt", {}, "time"),
      element("dd", {}, formatDuration(job.seconds)),
      element("dt", {}, "folder"),
      element("dd", {}, job.folder),
      job.url
        ? [
            element("dt", {}, "W&B"),
            element("dd", {}, element("a", { href: job.url, rel: "noreferrer" }, job.url)),
          ]
        : [],
    ),
  );
}
