"use strict";

// The three plots of a front page: perception and distortion, quality and stability, quality and cost.

const DISTORTION_FIRST = ["psnr", "lpips", "ssim", "dists"];
const PERCEPTION_FIRST = ["musiq", "clipiqa", "maniqa", "niqe", "fid"];

/** Make the section of a data set's plots. */
function plotsSection(dataset) {
  const metrics = dataset.columns.filter(({ kind }) => kind !== "stability");
  if (metrics.length === 0) return null;
  return element(
    "section",
    { "aria-labelledby": "plots" },
    element("h2", { id: "plots", text: "Plots" }),
    element(
      "div",
      { class: "plots" },
      perceptionPlot(dataset, metrics),
      stabilityPlot(dataset, metrics),
      costPlot(dataset, metrics),
    ),
    element("p", { class: "legend", text: "Bars are 95 % bootstrap intervals over images." }),
  );
}

function preferred(metrics, names, other = null) {
  const usable = metrics.filter((metric) => metric !== other);
  return names.map((name) => usable.find((metric) => metric.name === name)).find(Boolean) ?? usable[0] ?? metrics[0];
}

function perceptionPlot(dataset, metrics) {
  const x = preferred(metrics, DISTORTION_FIRST);
  const y = preferred(metrics, PERCEPTION_FIRST, x);
  return plot(
    dataset,
    "Perception and distortion",
    "Faithful to the reference, or good to look at: the best are ahead in both.",
    { label: "Across", axes: metrics.map(metricAxis), chosen: x.name },
    { label: "Up", axes: metrics.map(metricAxis), chosen: y.name },
  );
}

function stabilityPlot(dataset, metrics) {
  const spreads = metrics.map(spreadAxis);
  const lStd = columnOf(dataset, "l-std");
  const x = preferred(metrics, DISTORTION_FIRST);
  return plot(
    dataset,
    "Quality and stability",
    "A metric’s mean against how much the outputs of one image differ from run to run.",
    { label: "Across", axes: metrics.map(metricAxis), chosen: x.name },
    { label: "Up", axes: lStd ? [metricAxis(lStd), ...spreads] : spreads, chosen: lStd ? "l-std" : `${x.name} spread` },
  );
}

function costPlot(dataset, metrics) {
  const y = preferred(metrics, PERCEPTION_FIRST);
  return plot(
    dataset,
    "Quality and cost",
    "The median recorded wall time of one output, and a metric’s mean.",
    { label: "Across", axes: [SECONDS_AXIS], chosen: SECONDS_AXIS.key },
    { label: "Up", axes: metrics.map(metricAxis), chosen: y.name },
  );
}

function directed(text, higherIsBetter) {
  return higherIsBetter ? `${text} (better →)` : `${text} (← better)`;
}

function metricAxis(column) {
  return {
    key: column.name,
    name: column.label,
    label: directed(column.label, column.higher_is_better),
    decimals: column.decimals,
    missing: `no ${column.label}`,
    of: (method) => {
      const cell = method.cells[column.name];
      return cell ? { value: cell.value, interval: cell.interval, images: cell.images } : null;
    },
  };
}

function spreadAxis(column) {
  const name = `G-STD of ${column.label}`;
  return {
    key: `${column.name} spread`,
    name,
    label: directed(name, false),
    decimals: SPREAD_DECIMALS,
    missing: `no ${name}`,
    of: (method) => {
      const cell = method.cells[column.name];
      return cell && cell.g_std !== null
        ? { value: cell.g_std, interval: cell.g_std_interval, images: cell.images }
        : null;
    },
  };
}

const SECONDS_AXIS = {
  key: "seconds",
  name: "Seconds",
  label: "Seconds per output (← better)",
  decimals: 3,
  missing: "no recorded time",
  cost: true,
  of: (method) => (method.seconds === null ? null : { value: method.seconds, interval: null, images: method.images }),
};

/** Make a figure with a plot, and a choice for each axis that has several quantities. */
function plot(dataset, title, words, across, up) {
  const box = element("div", { class: "plot-box" });
  const remarks = element("p", { class: "remarks" });
  const told = element("output", { class: "told" });
  const chosen = { across: across.chosen, up: up.chosen };
  const draw = () => {
    const axes = {
      x: across.axes.find(({ key }) => key === chosen.across),
      y: up.axes.find(({ key }) => key === chosen.up),
    };
    const all = dataset.methods.map((method, index) => ({
      index,
      title: method.title,
      method,
      x: axes.x.of(method),
      y: axes.y.of(method),
    }));
    const points = all.filter(({ x, y }) => x && y);
    remarks.textContent = [machines(points, axes), runCounts(points, axes), coverage(points), absence(all, axes)].filter(Boolean).join(" ");
    told.textContent = points.length ? "Point at a method, or move to it with the Tab key, for its numbers." : "";
    if (points.length)
      scatter(box, axes, points, (text) => {
        told.textContent = text;
      });
    else box.replaceChildren(element("p", { class: "muted", text: "No method has both numbers." }));
  };
  const pick = (side, { label, axes }) =>
    axes.length < 2
      ? null
      : choice(
          label,
          axes.map((axis) => [axis.key, axis.name]),
          chosen[side],
          (key) => {
            chosen[side] = key;
            draw();
          },
        );
  requestAnimationFrame(draw); // once the box has its width
  return element(
    "figure",
    { "aria-label": title },
    element("h3", { text: title }),
    element("p", { class: "muted", text: words }),
    element("div", { class: "fields" }, pick("across", across), pick("up", up)),
    box,
    element("figcaption", {}, remarks, told),
  );
}

/** In words, what times were recorded on. */
function machines(points, axes) {
  if (!axes.x.cost || points.length === 0) return "";
  const names = [...new Set(points.flatMap(({ method }) => method.machines))];
  const words = names.length > 1 ? "Recorded under different conditions, so times do not compare:" : "Recorded on";
  return `${words} ${names.join("; ")}.`;
}

function isSpread({ key }) {
  return key === "l-std" || key.endsWith(" spread");
}

/** In words, where spreads are over different numbers of runs, and so do not quite compare. */
function runCounts(points, axes) {
  const counts = new Set(points.map(({ method }) => method.runs));
  if (!isSpread(axes.y) || counts.size < 2) return "";
  const listed = points.map(({ title, method }) => `${title} ${method.runs}`).join(", ");
  return `N differs: ${listed}; over fewer runs a spread comes out smaller.`;
}

/** In words, where points are of different images, and so do not quite compare. */
function coverage(points) {
  const counts = points.map(({ x, y }) => Math.min(x.images, y.images));
  if (new Set(counts).size < 2) return "";
  return `Not all of the same images: ${points.map(({ title }, index) => `${title} ${counts[index]}`).join(", ")}.`;
}

/** In words, which methods are not in a plot, and why. */
function absence(all, axes) {
  const without = all.filter(({ x, y }) => !x || !y).map((point) => `${point.title} (${whyAbsent(point, axes)})`);
  return without.length ? `Not in the plot: ${without.join(", ")}.` : "";
}

function whyAbsent({ method, x }, axes) {
  const axis = x ? axes.y : axes.x;
  return method.runs === 1 && isSpread(axis) ? "one run, no spread" : axis.missing;
}
