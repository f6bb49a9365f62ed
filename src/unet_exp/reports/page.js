// The page: one list of jobs, shown in several views that share what is hovered and selected.

const data = JSON.parse(document.getElementById("data").textContent);
const jobs = data.jobs.map((job, place) => ({ ...job, place }));
const settings = data.settings.map((setting, place) => ({ ...setting, place }));
const varied = settings.filter((setting) => setting.varied);
const score = data.monitor.replace(/^val\//, "");
const at = (id) => document.getElementById(id);
const inside = (id, selector) => at(id).querySelector(selector);
const selected = new Set();
let hot = null;

/** Write seconds as a person says them. */
function clock(seconds) {
  if (seconds === null) return "–";
  const [whole, minutes] = [Math.round(seconds), Math.round(seconds / 60)];
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const described = (job) => settings.filter(({ place }) => job.values[place] !== null)
  .map((setting) => `${setting.label}=${job.values[setting.place]}`).join("  ");

/** A button that copies a text, also on pages that the browser does not call secure. */
function copier(text, label = "copy") {
  return element("button", { class: "copy", type: "button", title: "Copy the command", onclick: async (event) => {
    event.stopPropagation();
    const button = event.currentTarget;
    let done = false;
    try { await navigator.clipboard.writeText(text); done = true; } catch {
      const area = document.body.appendChild(element("textarea", {}, text));
      area.select();
      done = document.execCommand("copy");
      area.remove();
    }
    button.textContent = done ? "copied" : "failed";
    setTimeout(() => { button.textContent = label; }, 1200);
  } }, label);
}

// ---- what is hovered and selected

const shownAs = (job) => document.querySelectorAll(`[data-job="${job}"]`);

function mark() {
  for (const shown of document.querySelectorAll("[data-job]")) {
    const job = Number(shown.dataset.job);
    shown.classList.toggle("selected", selected.has(job));
    if (shown.tagName === "TR") shown.setAttribute("aria-selected", selected.has(job));
  }
  for (const job of selected) raise(job);
  for (const job of outside) for (const shown of shownAs(job)) shown.classList.add("out");
  for (const chart of document.querySelectorAll(".chart")) chart.classList.toggle("picked", selected.size > 0);
  card();
}

function raise(job) {
  for (const shown of shownAs(job)) if (shown.matches("path, circle")) shown.parentNode.append(shown);
}

function hover(job, event = null, extra = "") {
  if (job !== hot) {
    if (hot !== null) for (const shown of shownAs(hot)) shown.classList.remove("hot");
    hot = job;
    if (hot !== null) { raise(hot); for (const shown of shownAs(hot)) shown.classList.add("hot"); }
  }
  const tip = at("tip");
  tip.hidden = job === null || !event;
  if (tip.hidden) return;
  const { name, score: value, state } = jobs[job];
  fill(tip, element("b", {}, `job ${name}  `), extra || (value === null ? state : `${score} ${figure(value)}`), element("div", {}, described(jobs[job])));
  const { offsetWidth: wide, offsetHeight: high } = tip;
  tip.style.left = `${Math.max(6, Math.min(event.clientX + 16, innerWidth - wide - 8))}px`;
  tip.style.top = `${event.clientY + 18 + high > innerHeight ? event.clientY - high - 12 : event.clientY + 18}px`;
}

function select(job, several) {
  const was = selected.has(job);
  if (!several) selected.clear();
  if (was) selected.delete(job); else selected.add(job);
  mark();
}

const several = (event) => event.ctrlKey || event.metaKey || event.shiftKey;

/** Let the line or dot nearest to the pointer be hovered and selected. */
function listen(box, draw, told = () => "") {
  let lines = [];
  const found = (event) => {
    const edge = box.querySelector("svg")?.getBoundingClientRect();
    return edge ? nearest(lines.filter(({ job }) => !outside.has(job.place)), event.clientX - edge.left, event.clientY - edge.top) : null;
  };
  box.classList.add("hits");
  // Of the many moves between two frames only the last counts.
  let last = null;
  const follow = () => {
    const hit = last && found(last);
    hover(hit ? hit.job.place : null, last, hit ? told(hit, lines) : "");
    last = null;
  };
  box.addEventListener("pointermove", (event) => { if (!last) requestAnimationFrame(follow); last = event; });
  box.addEventListener("pointerleave", () => { last = null; hover(null); });
  box.addEventListener("click", (event) => {
    const hit = found(event);
    if (hit) select(hit.job.place, several(event));
    else if (selected.size) { selected.clear(); mark(); }
  });
  let width = 0;
  const redraw = () => { width = box.clientWidth; lines = draw(box); mark(); };
  new ResizeObserver(() => { if (Math.abs(box.clientWidth - width) > 1) redraw(); }).observe(box);
  redraw();
  return { redraw, lines: () => lines };
}

function card() {
  const job = jobs[[...selected].at(-1)];
  const box = at("card");
  box.hidden = !job;
  if (!job) return;
  const more = selected.size > 1 ? `  and ${selected.size - 1} more` : "";
  const known = settings.filter(({ place }) => job.values[place] !== null);
  fill(box, 
    element("div", { class: "top" }, element("h3", {}, `Job ${job.name}`, more), element("button", { class: "quiet", type: "button", onclick: () => { selected.clear(); mark(); } }, "Close")),
    element("span", { class: "dot", "data-state": job.state }, job.state, job.rank ? `, ${job.rank} of ${jobs.filter((one) => one.rank).length} by ${score}` : ""),
    job.error ? element("span", { class: "error" }, job.error) : null,
    element("div", { class: "run" }, element("code", {}, job.command), copier(job.command)),
    element("dl", {},
      known.map(({ key, place }) => [element("dt", {}, key), element("dd", {}, job.values[place])]),
      Object.entries(job.scores).map(([name, value]) => [element("dt", {}, name), element("dd", {}, figure(value))]),
      element("dt", {}, "time"), element("dd", {}, clock(job.seconds)),
      element("dt", {}, "folder"), element("dd", {}, job.folder),
      job.url ? [element("dt", {}, "W&B"), element("dd", {}, element("a", { href: job.url, rel: "noreferrer" }, job.url))] : []));

}

// ---- the head

function head() {
  const began = data.started && new Date(data.started);
  const when = began && !Number.isNaN(began.getTime()) ? began.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : data.started;
  at("eyebrow").textContent = ["Sweep", data.sweeper, when].filter(Boolean).join("  ·  ");
  fill(at("command"), element("code", { title: data.command }, data.command), data.command ? copier(data.command) : null);
  const counts = Object.entries(data.counts);
  fill(at("states"), 
    element("div", { class: "share" }, counts.map(([state, count]) => element("i", { "data-state": state, style: `flex: ${Number(count)}` }))),
    element("div", { class: "legend" }, counts.map(([state, count]) => element("span", { "data-state": state }, element("b", {}, count), ` ${state}`))));
  const best = jobs.find((job) => job.rank === 1);
  const ranked = jobs.filter((job) => job.rank).map((job) => job.score).sort((a, b) => a - b);
  const middle = ranked.length ? (ranked[(ranked.length - 1) >> 1] + ranked[ranked.length >> 1]) / 2 : null;
  const spent = jobs.reduce((sum, job) => sum + (job.seconds ?? 0), 0);
  fill(at("tiles"), 
    element("button", { class: "tile", type: "button", disabled: !best, onclick: () => best && !selected.has(best.place) && select(best.place) },
      element("small", {}, best ? `Best ${score}: job ${best.name}` : `Best ${score}`), element("strong", {}, best ? figure(best.score) : "–"), element("small", {}, best ? described(best) : "No job has finished yet.")),
    tile(`Median ${score}`, figure(middle), data.mode === "max" ? "higher is better" : "lower is better"),
    tile("Jobs", jobs.length, `${ranked.length} finished with a score`),
    tile("Time of all jobs", clock(spent), ranked.length ? `${clock(spent / Math.max(1, jobs.filter((job) => job.seconds).length))} a job` : ""));
  fill(at("footer"), 
    data.state === "running" ? `The sweep was running when this page was written, ${data.written}. ` : `Written ${data.written}. `,
    element("code", {}, data.renew), " writes it anew.",
    data.group ? element("span", {}, " On W&B: ", element("a", { href: data.group, rel: "noreferrer" }, data.group)) : "");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = (wanted) => {
    document.documentElement.dataset.theme = wanted ? "dark" : "light";
    at("theme").textContent = wanted ? "Light" : "Dark";
  };
  paint(dark.matches);
  dark.addEventListener("change", () => paint(dark.matches));
  at("theme").addEventListener("click", () => paint(document.documentElement.dataset.theme !== "dark"));
}

const tile = (label, value, note) => element("div", { class: "tile" }, element("small", {}, label), element("strong", {}, value), element("small", {}, note));

// ---- the table

function table() {
  const others = data.scores.filter((name) => name !== data.monitor);
  const value = (setting) => (job) => (setting.numeric ? job.numbers : job.values)[setting.place];
  const columns = [
    { head: "job", of: (job) => job.name, cell: (job) => element("td", {}, job.name, job.rank === 1 ? element("span", { class: "star", title: "the best" }, " ★") : null) },
    ...settings.map((setting) => ({ head: setting.label, title: setting.key, right: setting.numeric, of: value(setting), cell: (job) => element("td", { class: setting.numeric ? "right" : null, title: job.values[setting.place] }, cut(job.values[setting.place] ?? "–", 40)) })),
    { head: "state", of: (job) => job.state, cell: (job) => element("td", {}, element("span", { class: "dot", "data-state": job.state }, job.state, job.state === "running" && job.progress ? ` ${Math.round(100 * job.progress)} %` : ""), job.error ? element("span", { class: "error", title: job.error }, job.error) : null) },
    { head: score, title: data.monitor, down: data.mode === "max", of: (job) => job.score, cell: (job) => element("td", { class: "score" }, figure(job.score), job.rank ? element("span", { class: "meter" }, element("i", { style: `width: ${Math.round(100 * job.share)}%` })) : null) },
    ...others.map((name) => ({ head: name.replace(/^val\//, ""), title: name, right: true, of: (job) => job.scores[name] ?? null, cell: (job) => element("td", { class: "right" }, figure(job.scores[name])) })),
    { head: "time", right: true, of: (job) => job.seconds, cell: (job) => element("td", { class: "right" }, job.state === "running" && job.left !== null ? `${clock(job.left)} left` : clock(job.seconds)) },
  ];
  const rows = jobs.map((job) => element("tr", {
    "data-job": job.place, "--good": tone(job), tabindex: 0,
    onclick: (event) => select(job.place, several(event)),
    onkeydown: (event) => { if (event.key === "Enter" && event.target === event.currentTarget) select(job.place, several(event)); },
    onpointerenter: () => hover(job.place), onpointerleave: () => hover(null),
  }, columns.map((column) => column.cell(job)), element("td", {}, copier(job.command))));
  const body = element("tbody");
  const heads = columns.map((column) => element("th", { scope: "col", class: column.right ? "right" : null, title: column.title },
    element("button", { type: "button", onclick: () => sort(column) }, column.head)));
  let by = null, descending = false;
  function sort(column) {
    descending = column === by ? !descending : Boolean(column.down);
    by = column;
    const order = [...jobs].sort((a, b) => {
      const [one, two] = [column.of(a), column.of(b)];
      if (one === null || two === null) return (one === null) - (two === null) || a.place - b.place;
      const more = typeof one === "number" ? one - two : String(one).localeCompare(String(two), undefined, { numeric: true });
      return (descending ? -more : more) || a.place - b.place;
    });
    fill(body, ...order.map((job) => rows[job.place]));
    heads.forEach((cell, n) => (columns[n] === by ? cell.setAttribute("aria-sort", descending ? "descending" : "ascending") : cell.removeAttribute("aria-sort")));
  }
  fill(inside("jobs", ".scroll"), element("table", {}, element("thead", {}, element("tr", {}, heads, element("th", { class: "plain" }, ""))), body));
  sort(columns.find((column) => column.head === score && column.title === data.monitor));
}

// ---- the other sections

function repeats() {
  if (!data.repeats.some((group) => group.jobs.length > 1)) return;
  at("repeats").hidden = false;
  const members = (group) => group.jobs.map((place) => jobs[place]);
  const scale = numberScale(data.repeats.flatMap((group) => members(group).map((job) => job.score)));
  const others = data.scores.filter((name) => name !== data.monitor);
  const both = (group, name) => `${figure(group.mean[name])}${Number.isFinite(group.deviation[name]) && group.deviation[name] !== null ? ` ± ${short(Number(group.deviation[name].toPrecision(2)))}` : ""}`;
  const heads = ["settings", "jobs", score, "", ...others.map((name) => name.replace(/^val\//, ""))];
  fill(inside("repeats", ".scroll"), element("table", {},
    element("thead", {}, element("tr", {}, heads.map((text) => element("th", { class: "plain", scope: "col" }, text)))),
    element("tbody", {}, data.repeats.map((group) => element("tr", {},
      element("td", {}, group.label || "all"), element("td", {}, group.jobs.length),
      element("td", { class: "score" }, both(group, data.monitor)),
      element("td", {}, dots(members(group), group.mean[data.monitor], group.deviation[data.monitor], scale)),
      others.map((name) => element("td", {}, both(group, name))))))));
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
    const drawn = listen(wide, (box) => { const lines = parallel(box, jobs, varied, score); drawRanges(box, lines); return lines; });
    brush(wide, drawn.lines);
    const grid = inside("scatter", ".grid");
    for (const setting of varied) listen(grid.appendChild(element("div", { class: "chart" })), (box) => scatter(box, jobs, setting, score));
  }
  if (!data.curves.length) return;
  at("curves").hidden = false;
  let metric = data.curves[0], by = "steps";
  const box = inside("curves", ".chart");
  const { redraw } = listen(box, () => curves(box, jobs, metric, by), ({ job, point }, lines) => {
    const [where, value] = lines.find((line) => line.job === job).values[point];
    return `${metric} ${short(value)} at ${by === "steps" ? "step" : "second"} ${short(where)}`;
  });
  const buttons = ["steps", "seconds"].map((name) => element("button", { type: "button", "aria-pressed": String(name === by), onclick: () => {
    by = name;
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.textContent === name)));
    redraw();
  } }, name));
  fill(inside("curves", ".controls"), 
    element("select", { "aria-label": "quantity", onchange: (event) => { metric = event.target.value; redraw(); } }, data.curves.map((name) => element("option", { value: name }, name))),
    element("span", { class: "segments" }, buttons));
}

function pictures() {
  at("pictures").hidden = !data.pictures.length;
  const enlarge = (image) => { fill(at("large"), element("img", { src: image.source, alt: image.name })); at("large").showModal(); };
  at("large").addEventListener("click", () => at("large").close());
  fill(inside("pictures", ".pair"), ...data.pictures.map(({ role, job, images }) => element("figure", {},
    element("figcaption", {}, element("b", {}, `${role}: job ${jobs[job].name}`), `, ${score} ${figure(jobs[job].score)} `, element("small", {}, described(jobs[job]))),
    images.map((image) => element("button", { class: "picture", type: "button", title: image.name, onclick: () => enlarge(image) }, element("img", { src: image.source, alt: `${image.name} of the ${role} job` }))))));
}

function commands() {
  inside("commands", "summary").textContent = `The commands of ${jobs.length} jobs`;
  fill(inside("commands", "ol"), ...jobs.map((job) => element("li", {}, element("span", {}, job.name), element("code", {}, job.command), copier(job.command))));
}

head();
table();
repeats();
plots();
pictures();
commands();
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !at("large").open && selected.size) { selected.clear(); mark(); } });
