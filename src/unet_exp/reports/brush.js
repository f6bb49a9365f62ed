// Ranges on the axes of the parallel coordinates: jobs outside of them are hidden in all views.

const ranges = new Map(); // axis index -> lowest and highest position, 0 to 1
let outside = new Set();

/** Hide the jobs outside the ranges; `lines` are those of the parallel coordinates. */
function sift(lines) {
  const inside = ([axis, [low, high]], positions) =>
    positions[axis] !== null && positions[axis] >= low && positions[axis] <= high;
  const kept = new Set(
    lines
      .filter(({ positions }) => [...ranges].every((range) => inside(range, positions)))
      .map(({ job }) => job.index),
  );
  outside = new Set(
    ranges.size ? jobs.map((job) => job.index).filter((job) => !kept.has(job)) : [],
  );
  for (const shown of document.querySelectorAll("[data-job]"))
    shown.classList.toggle("out", outside.has(Number(shown.dataset.job)));
  at("all").hidden = !ranges.size;
  at("all").textContent = `Show all (now ${jobs.length - outside.size} of ${jobs.length})`;
}

/** Draw the ranges over their axes. */
function drawRanges(box, lines) {
  box.querySelectorAll("rect").forEach((old) => old.remove());
  const { across, top, height } = lines.axes;
  for (const [axis, [low, high]] of ranges) {
    box.querySelector("svg").append(
      element("rect", {
        class: "range",
        x: across[axis] - 8,
        width: 16,
        y: top + (1 - high) * height,
        height: (high - low) * height,
        rx: 4,
      }),
    );
  }
}

/** Draw a range by dragging along an axis, remove it by a click; `latest` returns the lines. */
function brush(box, latest) {
  let drag = null;
  const spot = (event) => {
    const edge = box.querySelector("svg").getBoundingClientRect();
    const { across, top, height } = latest().axes;
    const y = event.clientY - edge.top;
    const axis = across.findIndex((x) => Math.abs(x - (event.clientX - edge.left)) < 10);
    return {
      axis,
      on: axis >= 0 && y > top - 8 && y < top + height + 8,
      position: Math.max(0, Math.min(1, 1 - (y - top) / height)),
    };
  };
  const show = () => {
    drawRanges(box, latest());
    sift(latest());
  };
  box.addEventListener("pointerdown", (event) => {
    const { axis, on, position } = spot(event);
    if (!on || event.pointerType === "touch" || event.button) return;
    drag = { axis, from: position, moved: false };
    box.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  box.addEventListener("pointermove", (event) => {
    const { on, position } = spot(event);
    box.style.cursor = drag || on ? "ns-resize" : "";
    if (!drag || (!drag.moved && Math.abs(position - drag.from) < 0.02)) return;
    drag.moved = true;
    ranges.set(drag.axis, [Math.min(position, drag.from), Math.max(position, drag.from)]);
    show();
  });
  // Runs before the listener that selects, so that neither of these clicks selects a job.
  box.addEventListener(
    "click",
    (event) => {
      if (drag?.moved || (drag && ranges.delete(drag.axis))) {
        event.stopImmediatePropagation();
        show();
      }
      drag = null;
    },
    { capture: true },
  );
  at("all").addEventListener("click", () => {
    ranges.clear();
    show();
  });
}
