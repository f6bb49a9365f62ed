// Elements, numbers as text, and scales that map values to 0..1.

/** Create an element; text and children become nodes and are never parsed as HTML. */
function element(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "line", "circle", "rect", "text", "title"].includes(name);
  const made = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key.startsWith("--")) made.style.setProperty(key, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  fill(made, ...children);
  return made;
}

/** Replace the children of an element; lists are flattened, null is skipped. */
function fill(box, ...children) {
  box.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined),
  );
}

/** Format a number with at most four significant digits. */
function formatShort(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6))
    return value
      .toExponential(2)
      .replace(/\.?0+e/, "e")
      .replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

/** Format a score with four decimals, so that columns line up. */
function formatScore(value) {
  return value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 10)
    ? value.toFixed(4)
    : formatShort(value);
}

/** Return round ticks that divide an interval into about `count` parts. */
function rounded(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (rough < 1.4 * power ? 1 : rough < 3.2 * power ? 2 : rough < 7.1 * power ? 5 : 10);
  const ticks = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++)
    ticks.push(n * step);
  return ticks;
}

/** Map numbers to 0..1, linearly or by logarithm; ticks are at the values if there are few. */
function numberScale(values, { log = false, discrete = false, count = 5, pad = 0.06 } = {}) {
  const known = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  const bend = log ? Math.log10 : (value) => value;
  let low = known.length ? Math.min(...known.map(bend)) : 0;
  let high = known.length ? Math.max(...known.map(bend)) : 1;
  if (low === high) {
    low -= log ? 0.5 : Math.abs(low) * 0.1 || 0.5;
    high += log ? 0.5 : Math.abs(high) * 0.1 || 0.5;
  }
  const margin = (high - low) * pad;
  low -= margin;
  high += margin;
  const at = (value) =>
    Number.isFinite(value) && (!log || value > 0) ? (bend(value) - low) / (high - low) : null;
  const distinct = [...new Set(known)].sort((a, b) => a - b);
  let ticks = discrete && distinct.length <= 7 ? distinct : null;
  if (ticks && ticks.some((value, n) => n && at(value) - at(ticks[n - 1]) < 0.055)) ticks = null;
  if (!ticks && log) {
    const every = Math.ceil((high - low) / 6);
    ticks = rounded(low, high, 5)
      .filter(() => high - low < 1)
      .map((power) => 10 ** power);
    if (!ticks.length)
      for (let power = Math.ceil(low); power <= high; power += every) ticks.push(10 ** power);
  }
  ticks ??= rounded(low, high, count);
  return { at, ticks: ticks.map((value) => ({ at: at(value), label: formatShort(value) })) };
}

/** Map words to 0..1, in the order of their first occurrence. */
function wordScale(words) {
  const all = [...new Set(words.filter((word) => word !== null))];
  const position = (word) => (all.indexOf(word) + 0.5) / all.length;
  return {
    at: (word) => (word === null ? null : position(word)),
    ticks: all.map((word) => ({ at: position(word), label: word })),
  };
}

/** Return the scale of a setting over all jobs. */
function settingScale(setting, jobs, count) {
  const values = jobs.map((job) => job[setting.numeric ? "numbers" : "values"][setting.index]);
  const scale = setting.numeric
    ? numberScale(values, { log: setting.log, discrete: true, count, pad: 0.08 })
    : wordScale(values);
  return {
    ...scale,
    of: (job) => scale.at(job[setting.numeric ? "numbers" : "values"][setting.index]),
  };
}

const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
const tone = (job) => `${Math.round(100 * (job.good ?? 0))}%`;
const kind = (job) =>
  job.error || job.score === null ? "unscored" : job.good === null ? "unranked" : "";
const path = (points) =>
  points.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
