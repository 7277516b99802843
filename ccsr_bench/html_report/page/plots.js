"use strict";

// The plots of a front page. The numbers that they draw are in the data (ccsr_bench/html_report/plotted.py).

/** Make the section of a data set's plots. */
function plotsSection(dataset) {
  const { plots } = dataset.plots;
  if (plots.length === 0) return null;
  return element(
    "section",
    { "aria-labelledby": "plots" },
    element("h2", { id: "plots", text: "Plots" }),
    element("div", { class: "plots" }, ...plots.map((plot) => plotFigure(dataset, plot))),
    element("p", { class: "legend", text: "Bars are 95 % bootstrap intervals over images." }),
  );
}

/** Make a figure with a plot, and a choice for each axis that can show several measures. */
function plotFigure(dataset, plot) {
  const box = element("div", { class: "plot-box" });
  const remarks = element("p", { class: "remarks" });
  const details = element("output", { class: "details" });
  const chosen = { across: plot.chosen[0], up: plot.chosen[1] };
  const draw = () => {
    const { axes, points, words } = plottedPoints(dataset, plot, chosen);
    remarks.textContent = words;
    details.textContent = points.length ? "Point at a method, or reach it with the Tab key, to see its numbers." : "";
    if (points.length) {
      scatter(box, axes, points, (text) => {
        details.textContent = text;
      });
    } else box.replaceChildren(element("p", { class: "muted", text: "No method has both measures." }));
  };
  const pick = (label, side) =>
    plot[side].length < 2
      ? null
      : choice(
          label,
          plot[side].map((key) => [key, dataset.plots.measures[key].name]),
          chosen[side],
          (key) => {
            chosen[side] = key;
            draw();
          },
        );
  requestAnimationFrame(draw); // once the box has its width
  return element(
    "figure",
    { "aria-label": plot.title },
    element("h3", { text: plot.title }),
    element("p", { class: "muted", text: plot.words }),
    element("div", { class: "fields" }, pick("Across", "across"), pick("Up", "up")),
    box,
    element("figcaption", {}, remarks, details),
  );
}

/** The contents of a plot for a choice of axes: {axes, points, words}, with a point for each method that has both. */
function plottedPoints(dataset, plot, { across, up }) {
  const { measures, estimates, remarks } = dataset.plots;
  const pairing = plot.pairings[across][up];
  const onImages = estimates[pairing.image_set];
  const points = dataset.methods
    .map(({ title }, index) => ({
      index,
      title,
      x: estimate(onImages[across][index]),
      y: estimate(onImages[up][index]),
    }))
    .filter(({ x, y }) => x && y);
  return {
    axes: { x: measures[across], y: measures[up] },
    points,
    words: pairing.remarks.map((remark) => remarks[remark]).join(" "),
  };
}

function estimate(numbers) {
  if (numbers === null) return null;
  const [value, ...interval] = numbers;
  return { value, interval: interval.length ? interval : null };
}
