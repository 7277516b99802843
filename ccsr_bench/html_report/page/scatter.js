"use strict";

// A scatter plot with intervals, as SVG.

const PLOT_HEIGHT = 300;
const MARGIN = { right: 16, top: 12, bottom: 44 };
const TICK_DISTANCE = { across: 64, up: 46 };
const LABEL_HEIGHT = 15;
const LABEL_WIDTH_PER_LETTER = 6.6;
const LEADER_FROM = 20; // distance between a point and its name from which a line connects them
const BAR_WEIGHT = 0.3; // cost of covering an interval, relative to covering a mark or a name
const FEW_DECADES = 100; // ratio of a logarithmic axis's ends below which it has ticks between the powers of 10

/**
 * Draw points into a box, and again whenever its width changes.
 *
 * @param axes {x, y}: {name, label, decimals, logarithmic}.
 * @param points {index, title, x, y}: x and y are {value, interval}; index chooses the mark.
 * @param onPoint Called with the description of a point that is hovered or focused.
 */
function scatter(box, axes, points, onPoint) {
  const draw = () => {
    const width = Math.max(240, box.clientWidth);
    box.replaceChildren(scatterDrawing(width, axes, points, onPoint));
  };
  draw();
  box.watcher?.disconnect();
  box.watcher = new ResizeObserver(draw);
  box.watcher.observe(box);
}

function scatterDrawing(width, axes, points, onPoint) {
  const y = scale(
    points.map((point) => point.y),
    PLOT_HEIGHT - MARGIN.bottom,
    MARGIN.top,
    TICK_DISTANCE.up,
    axes.y.logarithmic,
  );
  const left = 32 + LABEL_WIDTH_PER_LETTER * Math.max(...y.ticks.map(({ text }) => text.length));
  const x = scale(
    points.map((point) => point.x),
    left,
    width - MARGIN.right,
    TICK_DISTANCE.across,
    axes.x.logarithmic,
  );
  const at = points.map((point) => ({ left: x.place(point.x.value), top: y.place(point.y.value) }));
  return svgElement(
    "svg",
    {
      class: "plot",
      viewBox: `0 0 ${width} ${PLOT_HEIGHT}`,
      width,
      height: PLOT_HEIGHT,
      role: "group",
      "aria-label": `${axes.y.label} against ${axes.x.label}`,
    },
    ...xAxis(x, axes.x, left, width),
    ...yAxis(y, axes.y, left, width),
    ...points.map((point) => intervals(point, x, y)),
    ...points.map((point, index) => pointMark(point, at[index], axes, onPoint)),
    ...labels(points, at, barsOf(points, x, y), left, width),
  );
}

/** A linear or logarithmic scale that spans all values and intervals, with some room at its ends. */
function scale(values, from, to, distance, logarithmic) {
  const all = values.flatMap(({ value, interval }) => [value, ...(interval ?? [])]);
  const forward = logarithmic ? Math.log10 : (value) => value;
  let [low, high] = [forward(Math.min(...all)), forward(Math.max(...all))];
  const room = (high - low || Math.abs(high) || 1) * 0.09;
  low -= room;
  high += room;
  const place = (value) => from + ((forward(value) - low) / (high - low)) * (to - from);
  const count = Math.max(2, Math.round(Math.abs(to - from) / distance));
  return { place, ticks: logarithmic ? logarithmicTicks(10 ** low, 10 ** high, count) : roundTicks(low, high, count) };
}

function roundTicks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step);
  const steps = Math.floor(high / step) - first + 1;
  return Array.from({ length: steps }, (_, index) => ({
    value: (first + index) * step,
    text: ((first + index) * step).toFixed(decimals),
  }));
}

/** Powers of 10, with 2 and 5 times each where there are few; round numbers where this gives fewer than two ticks. */
function logarithmicTicks(low, high, count) {
  const factors = high < FEW_DECADES * low ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (value >= low && value <= high) ticks.push({ value, text: String(Number(value.toPrecision(1))) });
    }
  }
  return ticks.length < 2 ? roundTicks(low, high, count) : ticks;
}

function xAxis(x, axis, left, width) {
  const bottom = PLOT_HEIGHT - MARGIN.bottom;
  return [
    ...x.ticks.flatMap(({ value, text }) => [
      svgElement("line", { class: "grid", x1: x.place(value), x2: x.place(value), y1: MARGIN.top, y2: bottom }),
      svgElement("text", { class: "tick", x: x.place(value), y: bottom + 16, "text-anchor": "middle", text }),
    ]),
    svgElement("line", { class: "axis", x1: left, x2: width - MARGIN.right, y1: bottom, y2: bottom }),
    svgElement("text", {
      class: "axis-label",
      x: (left + width - MARGIN.right) / 2,
      y: PLOT_HEIGHT - 8,
      "text-anchor": "middle",
      text: axis.label,
    }),
  ];
}

function yAxis(y, axis, left, width) {
  const bottom = PLOT_HEIGHT - MARGIN.bottom;
  return [
    ...y.ticks.flatMap(({ value, text }) => [
      svgElement("line", { class: "grid", x1: left, x2: width - MARGIN.right, y1: y.place(value), y2: y.place(value) }),
      svgElement("text", { class: "tick", x: left - 7, y: y.place(value) + 4, "text-anchor": "end", text }),
    ]),
    svgElement("line", { class: "axis", x1: left, x2: left, y1: MARGIN.top, y2: bottom }),
    svgElement("text", {
      class: "axis-label",
      transform: `translate(13 ${(MARGIN.top + bottom) / 2}) rotate(-90)`,
      "text-anchor": "middle",
      text: axis.label,
    }),
  ];
}

function intervals(point, x, y) {
  const [left, top] = [x.place(point.x.value), y.place(point.y.value)];
  const across = point.x.interval?.map(x.place);
  const up = point.y.interval?.map(y.place);
  return svgElement(
    "g",
    { class: `interval ${seriesClass(point.index)}` },
    across
      ? svgElement("path", {
          d: `M${across[0]} ${top}H${across[1]}M${across[0]} ${top - 4}v8M${across[1]} ${top - 4}v8`,
        })
      : null,
    up ? svgElement("path", { d: `M${left} ${up[0]}V${up[1]}M${left - 4} ${up[0]}h8M${left - 4} ${up[1]}h8` }) : null,
  );
}

function pointMark(point, { left, top }, axes, onPoint) {
  const words = pointText(point, axes);
  const tell = () => onPoint(words);
  return svgElement(
    "g",
    {
      class: "point",
      tabindex: 0,
      role: "img",
      "aria-label": words,
      transform: `translate(${left} ${top})`,
      on: { mouseenter: tell, focus: tell },
    },
    svgElement("title", { text: words }),
    svgElement("circle", { class: "target", r: 14 }),
    markShape(point.index),
  );
}

/** A point in words: its method, and both its numbers with their intervals. */
function pointText(point, axes) {
  const part = ({ name, decimals }, { value, interval }) =>
    `${name} ${fixed(value, decimals)}${interval ? ` (${intervalText(interval, decimals)})` : ""}`;
  return `${point.title}: ${part(axes.x, point.x)}, ${part(axes.y, point.y)}`;
}

/** The boxes of all intervals, which names should not cover. */
function barsOf(points, x, y) {
  return points.flatMap((point) => {
    const [left, top] = [x.place(point.x.value), y.place(point.y.value)];
    const across = point.x.interval?.map(x.place);
    const up = point.y.interval?.map(y.place);
    return [
      ...(across ? [{ left: across[0], right: across[1], top: top - 3, bottom: top + 3 }] : []),
      ...(up ? [{ left: left - 3, right: left + 3, top: up[1], bottom: up[0] }] : []),
    ];
  });
}

/** Names beside the points, each at the place with the lowest cost of distance from its point and of covered drawing. */
function labels(points, at, bars, from, width) {
  const marks = at.map(({ left, top }) => ({ left: left - 8, right: left + 8, top: top - 8, bottom: top + 8 }));
  const taken = [...marks];
  const drawn = [];
  points.forEach((point, index) => {
    const length = point.title.length * LABEL_WIDTH_PER_LETTER;
    const places = labelPlaces(at[index], length);
    const cost = (place) =>
      overlap(place, taken) + overlap(place, bars) * BAR_WEIGHT + outside(place, from, width) + place.distance;
    const chosen = places.reduce((best, place) => (cost(place) < cost(best) ? place : best));
    const series = seriesClass(point.index);
    taken.push(chosen);
    if (chosen.distance > LEADER_FROM) drawn.push(leader(at[index], chosen, series));
    drawn.push(
      svgElement("text", {
        class: `point-label ${series}`,
        x: chosen.left,
        y: chosen.bottom - 4,
        "aria-hidden": "true",
        text: point.title,
      }),
    );
  });
  return drawn;
}

/** A line from a point to the nearest edge of its name. */
function leader({ left, top }, place, series) {
  const x = Math.min(place.right, Math.max(place.left, left));
  const y = Math.min(place.bottom - 2, Math.max(place.top + 2, top));
  return svgElement("line", { class: `leader ${series}`, x1: left, y1: top, x2: x, y2: y });
}

function labelPlaces({ left, top }, length) {
  const around = (distance) =>
    [
      [left + 11, top - LABEL_HEIGHT / 2 - distance],
      [left + 11, top - LABEL_HEIGHT / 2 + distance],
      [left - 11 - length, top - LABEL_HEIGHT / 2 - distance],
      [left - 11 - length, top - LABEL_HEIGHT / 2 + distance],
      [left + 6, top - LABEL_HEIGHT - 5 - distance],
      [left + 6, top + 5 + distance],
      [left - 6 - length, top - LABEL_HEIGHT - 5 - distance],
      [left - 6 - length, top + 5 + distance],
      [left - length / 2, top - LABEL_HEIGHT - 9 - distance],
      [left - length / 2, top + 9 + distance],
    ].map(([x, y]) => ({ left: x, right: x + length, top: y, bottom: y + LABEL_HEIGHT, distance }));
  return [0, 8, 16, 26, 42, 60].flatMap(around);
}

function overlap(place, taken) {
  return taken.reduce((total, other) => {
    const across = Math.min(place.right, other.right) - Math.max(place.left, other.left);
    const up = Math.min(place.bottom, other.bottom) - Math.max(place.top, other.top);
    return total + (across > 0 && up > 0 ? across * up : 0);
  }, 0);
}

function outside(place, from, width) {
  const bottom = PLOT_HEIGHT - MARGIN.bottom;
  return (
    1000 *
    (Math.max(0, from - place.left) +
      Math.max(0, place.right - width) +
      Math.max(0, -place.top) +
      Math.max(0, place.bottom - bottom))
  );
}
