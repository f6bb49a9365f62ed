// Ranges drawn on the axes of the parallel coordinates: jobs outside of them are hidden everywhere.

const ranges = new Map(); // of an axis's number: lowest and highest place, 0 to 1
let outside = new Set();

/** Hide the jobs that are outside; `lines` are those of the parallel coordinates. */
function sift(lines) {
  const inside = ([axis, [low, high]], places) => places[axis] !== null && places[axis] >= low && places[axis] <= high;
  const kept = new Set(lines.filter(({ places }) => [...ranges].every((range) => inside(range, places))).map(({ job }) => job.place));
  outside = new Set(ranges.size ? jobs.map((job) => job.place).filter((job) => !kept.has(job)) : []);
  for (const shown of document.querySelectorAll("[data-job]")) shown.classList.toggle("out", outside.has(Number(shown.dataset.job)));
  at("all").hidden = !ranges.size;
  at("all").textContent = `Show all (now ${jobs.length - outside.size} of ${jobs.length})`;
}

/** Draw the ranges over their axes. */
function drawRanges(box, lines) {
  box.querySelectorAll("rect").forEach((old) => old.remove());
  const { across, top, height } = lines.axes;
  for (const [axis, [low, high]] of ranges) {
    box.querySelector("svg").append(element("rect", { class: "range", x: across[axis] - 8, width: 16, y: top + (1 - high) * height, height: (high - low) * height, rx: 4 }));
  }
}

/** Let ranges be drawn by dragging along an axis, and removed by a click on it; `latest` gives the lines. */
function brush(box, latest) {
  let drag = null;
  const spot = (event) => {
    const edge = box.querySelector("svg").getBoundingClientRect();
    const { across, top, height } = latest().axes;
    const y = event.clientY - edge.top;
    const axis = across.findIndex((x) => Math.abs(x - (event.clientX - edge.left)) < 10);
    return { axis, on: axis >= 0 && y > top - 8 && y < top + height + 8, place: Math.max(0, Math.min(1, 1 - (y - top) / height)) };
  };
  const show = () => { drawRanges(box, latest()); sift(latest()); };
  box.addEventListener("pointerdown", (event) => {
    const { axis, on, place } = spot(event);
    if (!on || event.pointerType === "touch" || event.button) return;
    drag = { axis, from: place, moved: false };
    box.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  box.addEventListener("pointermove", (event) => {
    const { on, place } = spot(event);
    box.style.cursor = drag || on ? "ns-resize" : "";
    if (!drag || (!drag.moved && Math.abs(place - drag.from) < 0.02)) return;
    drag.moved = true;
    ranges.set(drag.axis, [Math.min(place, drag.from), Math.max(place, drag.from)]);
    show();
  });
  // Before the listener that selects: neither the end of a drag nor the removal of a range is one.
  box.addEventListener("click", (event) => {
    if (drag?.moved || (drag && ranges.delete(drag.axis))) { event.stopImmediatePropagation(); show(); }
    drag = null;
  }, { capture: true });
  at("all").addEventListener("click", () => { ranges.clear(); show(); });
}
