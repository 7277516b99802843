"use strict";

// One image: the slider, the scores, and every method's runs.

const comparison = { dataset: null, left: null, right: null, position: 50 }; // kept from image to image

const COMPARE_HELP =
  "Drag the divider, or focus it and press the arrow keys. Zoom with Ctrl + wheel, two fingers or a double click, " +
  "and drag to move; on the focused picture, use the keys + − 0 and the arrow keys.";

/**
 * Fill a box with the view of one image.
 *
 * @param order The indices of the images in the gallery's order, for "previous" and "next".
 */
function showImage(box, dataset, index, order) {
  const image = dataset.images[index];
  const zoom = createZoom(box);
  const compare = compareSection(dataset, index, zoom);
  const onShow = (source) => {
    compare.choose("right", source);
    compare.node.scrollIntoView({ block: "start" });
  };
  box.replaceChildren(
    imageBar(dataset, index, order, zoom),
    element("h1", { id: "image-name", tabindex: -1, text: image.name }),
    element("p", { class: "muted", text: `${dataset.name}, ${image.width} × ${image.height} pixels` }),
    compare.node,
    imageScoresSection(dataset, index),
    runsSection(dataset, index, zoom, onShow),
  );
}

function imageBar(dataset, index, order, zoom) {
  const place = order.indexOf(index);
  const link = (id, sign, word, target) =>
    target === undefined
      ? element("span", { class: "step muted", "aria-hidden": "true", text: sign })
      : element("a", {
          class: "step",
          id,
          href: imageAddress(dataset, target),
          "aria-label": `${word}: ${dataset.images[target].name}`,
          title: dataset.images[target].name,
          text: sign,
        });
  return element(
    "div",
    { class: "image-bar" },
    element("a", { href: overviewAddress(dataset), text: "← Images" }),
    element(
      "nav",
      { "aria-label": "Images" },
      link("previous", "‹", "Previous image", order[place - 1]),
      element("span", { text: place < 0 ? "–" : `${place + 1} of ${order.length}` }),
      link("next", "›", "Next image", place < 0 ? order[0] : order[place + 1]),
    ),
    zoom.controls,
  );
}

// A source is {kind: "lr" | "hr"}, {kind: "output", method, run} or {kind: "heat", method}.

function pictureOf(dataset, index, source) {
  const image = dataset.images[index];
  const method = dataset.methods[source.method];
  const run = method?.runs > 1 ? `, run ${source.run}` : "";
  const [file, label] = {
    lr: () => [lrFile(image), "LR"],
    hr: () => [hrFile(image), "HR"],
    output: () => [outputFile(image, source.method, source.run), `${method.title}${run}`],
    heat: () => [heatFile(image, source.method), `${method.title}, heat map`],
  }[source.kind]();
  return { file, label, alt: `${image.name}: ${label}`, pixelated: source.kind === "lr" };
}

/** All pictures that a side of the slider can show of an image: [key, name, source]. */
function sourcesOf(dataset, index) {
  const image = dataset.images[index];
  const methods = dataset.methods
    .map((method, number) => ({ method, number }))
    .filter(({ method }) => method.present[index]);
  return [
    ...(image.lr ? [["lr", "LR input", { kind: "lr" }]] : []),
    ...(image.hr ? [["hr", "HR reference", { kind: "hr" }]] : []),
    ...methods.map(({ method, number }) => [
      `m${number}`,
      method.title,
      { kind: "output", method: number, run: method.best[index] ?? 0 },
    ]),
    ...methods
      .filter(({ method }) => method.runs > 1)
      .map(({ method, number }) => [`s${number}`, `${method.title}, heat map`, { kind: "heat", method: number }]),
  ];
}

function sourceKey({ kind, method }) {
  return { lr: "lr", hr: "hr", output: `m${method}`, heat: `s${method}` }[kind];
}

/** Keep what the sides showed last where this image has it, or else show the input and the method with most runs. */
function startComparison(dataset, sources) {
  const runs = ({ kind, method }) => (kind === "output" ? dataset.methods[method].runs : 0);
  const all = sources.map(([, , source]) => source);
  const first = { left: all[0], right: all.reduce((most, source) => (runs(source) > runs(most) ? source : most)) };
  for (const side of ["left", "right"]) {
    const kept = comparison.dataset === dataset && sources.some(([key]) => key === sourceKey(comparison[side]));
    if (!kept) comparison[side] = first[side];
  }
  comparison.dataset = dataset;
}

function compareSection(dataset, index, zoom) {
  const sources = sourcesOf(dataset, index);
  const slider = compareSlider(zoom, dataset.images[index], comparison.position, (position) => {
    comparison.position = position;
  });
  const sides = { left: element("fieldset"), right: element("fieldset") };
  startComparison(dataset, sources);

  function choose(side, source) {
    comparison[side] = source;
    show();
  }

  function show() {
    for (const side of ["left", "right"]) {
      const focused = sides[side].contains(document.activeElement)
        ? (document.activeElement.dataset.role ?? null)
        : null;
      sides[side].replaceChildren(...sideControls(dataset, index, side, sources, choose));
      if (focused) sides[side].querySelector(`[data-role="${focused}"]`)?.focus();
    }
    slider.show(pictureOf(dataset, index, comparison.left), pictureOf(dataset, index, comparison.right));
  }

  show();
  const node = element(
    "section",
    { class: "compare", "aria-labelledby": "compare" },
    element("h2", { id: "compare", text: "Compare" }),
    element(
      "div",
      { class: "stage" },
      slider.node,
      element("div", { class: "sides" }, sides.left, sides.right, element("p", { class: "muted", text: COMPARE_HELP })),
    ),
  );
  return { node, choose };
}

function sideControls(dataset, index, side, sources, choose) {
  const source = comparison[side];
  const name = side === "left" ? "Left" : "Right";
  const method = dataset.methods[source.method];
  const picture = choice(
    "Picture",
    sources.map(([key, text]) => [key, text]),
    sourceKey(source),
    (chosen) => choose(side, sources.find(([key]) => key === chosen)[2]),
  );
  picture.querySelector("select").dataset.role = "picture";
  const runs =
    source.kind === "output" && method.runs > 1
      ? runStepper(index, method, source, (run) => choose(side, { ...source, run }))
      : null;
  return [element("legend", { text: name }), picture, runs, sourceScores(dataset, index, source)].filter(Boolean);
}

/** Controls that choose a run of a method from a list, or the previous or the next run. */
function runStepper(index, method, { run }, onRun) {
  const words = runWords(method, index);
  const select = choice(
    "Run",
    Array.from({ length: method.runs }, (_, number) => [
      number,
      words[number] ? `${number}, ${words[number]}` : number,
    ]),
    run,
    (number) => onRun(Number(number)),
  );
  select.querySelector("select").dataset.role = "run";
  const step = (role, sign, label, by) =>
    element("button", {
      type: "button",
      text: sign,
      "aria-label": label,
      "data-role": role,
      on: { click: () => onRun((run + by + method.runs) % method.runs) },
    });
  return element(
    "div",
    { class: "stepper" },
    step("back", "‹", `Run before ${run}`, -1),
    select,
    step("on", "›", `Run after ${run}`, 1),
  );
}

/** The scores of the picture that a side shows. */
function sourceScores(dataset, index, source) {
  if (source.kind === "lr" || source.kind === "hr") return null;
  const method = dataset.methods[source.method];
  const columns = imageColumns(dataset).filter(
    ({ name }) => imageScores(method, name, index) && (name === "l-std") === (source.kind === "heat"),
  );
  return element(
    "dl",
    { class: "scores" },
    ...columns.flatMap(({ name, label, decimals }) => [
      element("dt", { text: label }),
      element("dd", {
        text: fixed(imageScores(method, name, index)[source.kind === "heat" ? 0 : source.run], decimals),
      }),
    ]),
  );
}

/** Every method's scores on this image: mean and standard deviation over its runs. */
function imageScoresSection(dataset, index) {
  const columns = imageColumns(dataset);
  const row = (method, number) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, mark(number), method.title),
      ...columns.map(({ name, decimals, kind }) => {
        const spread = kind === "stability" ? "" : `/${fixed(imageSpread(method, name, index), SPREAD_DECIMALS)}`;
        const value = imageMean(method, name, index);
        return plainCell(value === null ? "–" : `${fixed(value, decimals)}${spread}`);
      }),
    );
  return element(
    "section",
    { "aria-labelledby": "scores" },
    element("h2", { id: "scores", text: "Scores of this image" }),
    scrollingTable(
      "Mean and standard deviation over the runs of this image",
      plainHeaders("Method", columns),
      element("tbody", {}, ...dataset.methods.map(row)),
    ),
  );
}
