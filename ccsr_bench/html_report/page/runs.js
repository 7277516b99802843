"use strict";

// One image by every method: input and reference, best and worst run side by side, heat maps, the scores of all runs.

/**
 * Make the section of all methods' pictures of one image.
 *
 * @param onShow Called with the source {kind, method, run} that the slider should show.
 */
function runsSection(dataset, index, zoom, onShow) {
  const image = dataset.images[index];
  const methods = dataset.methods
    .map((method, number) => ({ method, number }))
    .filter(({ method }) => method.present[index]);
  const single = methods.filter(({ method }) => method.runs === 1);
  const several = methods.filter(({ method }) => method.runs > 1);
  const pane = (source, caption) => figure(dataset, index, zoom, source, caption, onShow);
  const given = [
    image.lr && pane({ kind: "lr" }, ["LR input"]),
    image.hr && pane({ kind: "hr" }, ["HR reference"]),
  ].filter(Boolean);
  const ranking = dataset.ranked_by && columnOf(dataset, dataset.ranked_by);
  return element(
    "section",
    { "aria-labelledby": "runs" },
    element("h2", { id: "runs", text: ranking ? `Best and worst run by ${ranking.label}` : "Outputs" }),
    element("p", { class: "muted", text: runsWords(ranking, several) }),
    given.length || single.length
      ? element(
          "div",
          { class: "panes" },
          ...given,
          ...single.map(({ method, number }) =>
            pane({ kind: "output", method: number, run: 0 }, captionOf(dataset, method, number, index, 0)),
          ),
        )
      : null,
    several.length ? heatLegend(image) : null,
    ...several.map(({ method, number }) => methodRuns(dataset, index, method, number, pane, onShow)),
  );
}

function runsWords(ranking, several) {
  if (!several.length) return "Every method has one run, so there is neither a best nor a worst run.";
  const chosen = ranking ? "" : "No metric with a reference was scored, so the first and the last run are shown. ";
  return `${chosen}Heat maps show each pixel’s standard deviation over runs, averaged over its channels.`;
}

function heatLegend(image) {
  const top = (image.heat_top * 255).toFixed(1);
  return element(
    "figure",
    { class: "scale" },
    element("span", { text: "Heat maps: 0" }),
    element("img", {
      src: "images/scale.png",
      alt: "Colours from dark violet over green to yellow",
      width: 160,
      height: 12,
    }),
    element("span", { text: `${top} of 255 grey levels, and above` }),
  );
}

/** The two runs to show of a method with several runs: the best and the worst, or the first and the last. */
function shownRuns(method, index) {
  const best = method.best[index];
  if (best === null)
    return [
      ["first run", 0],
      ["last run", method.runs - 1],
    ];
  return [
    ["best", best],
    ["worst", method.worst[index]],
  ];
}

function methodRuns(dataset, index, method, number, pane, onShow) {
  const shown = shownRuns(method, index);
  const lStd = imageMean(method, "l-std", index);
  const level = lStd === null ? "" : `L-STD ${lStd.toFixed(SPREAD_DECIMALS)}, ${(lStd * 255).toFixed(2)} grey levels`;
  return element(
    "section",
    { class: "method", "aria-label": method.title },
    element("h3", {}, mark(number, 14), method.title),
    element(
      "div",
      { class: "panes three" },
      ...shown.map(([word, run]) =>
        pane({ kind: "output", method: number, run }, runCaption(dataset, method, index, run, word)),
      ),
      pane({ kind: "heat", method: number }, ["Heat map", level]),
    ),
    runsTable(dataset, index, method, number, onShow),
  );
}

function runCaption(dataset, method, index, run, word) {
  const equal =
    method.best[index] !== null && method.best[index] === method.worst[index] ? ", all runs have the same score" : "";
  return [`${word[0].toUpperCase()}${word.slice(1)}: run ${run}${equal}`, rankText(dataset, method, index, run)];
}

function captionOf(dataset, method, number, index, run) {
  return [element("span", {}, mark(number), method.title), rankText(dataset, method, index, run)];
}

/** The score of a run in the metric by which best and worst are chosen. */
function rankText(dataset, method, index, run) {
  const scores = dataset.ranked_by && imageScores(method, dataset.ranked_by, index);
  if (!scores) return "";
  const column = columnOf(dataset, dataset.ranked_by);
  return `${column.label} ${fixed(scores[run], column.decimals)}`;
}

/** A zoomable picture with a caption, and a button that shows it in the slider. */
function figure(dataset, index, zoom, source, caption, onShow) {
  const picture = pictureOf(dataset, index, source);
  return element(
    "figure",
    {},
    zoomedPane(zoom, dataset.images[index], picture),
    element(
      "figcaption",
      {},
      element("div", {}, ...caption.filter((part) => part !== "").map((part) => element("div", {}, part))),
      element("button", {
        type: "button",
        class: "quiet",
        text: "Compare",
        "aria-label": `Compare ${picture.label}: show it on the right of the slider`,
        on: { click: () => onShow(source) },
      }),
    ),
  );
}

/** The scores of all runs of a method, each with a button that shows it. */
function runsTable(dataset, index, method, number, onShow) {
  const columns = imageColumns(dataset).filter(({ name }) => name !== "l-std" && imageScores(method, name, index));
  const words = runWords(method, index);
  const row = (run) => {
    const show = () => onShow({ kind: "output", method: number, run });
    const button = element("button", { type: "button", class: "quiet", text: `Run ${run}`, on: { click: show } });
    const word = words[run] ? element("span", { class: "muted", text: ` ${words[run]}` }) : null;
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, button, word),
      ...columns.map(({ name, decimals }) => plainCell(fixed(imageScores(method, name, index)[run], decimals))),
    );
  };
  const summary = (title, of, decimalsOf) =>
    element(
      "tr",
      {},
      element("th", { scope: "row", text: title }),
      ...columns.map((column) => plainCell(fixed(of(method, column.name, index), decimalsOf(column)))),
    );
  const foot = element(
    "tfoot",
    {},
    summary("Mean", imageMean, ({ decimals }) => decimals),
    summary("Standard deviation", imageSpread, () => SPREAD_DECIMALS),
  );
  const body = element("tbody", {}, ...Array.from({ length: method.runs }, (_, run) => row(run)));
  return element(
    "details",
    {},
    element("summary", { text: `All ${method.runs} runs` }),
    scrollingTable(`Scores of the runs of ${method.title}`, plainHeaders("Run", columns), body, foot),
  );
}
