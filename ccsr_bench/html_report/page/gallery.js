"use strict";

// All images of a data set: sorted and filtered by any score or spread.

const ORDERS = [
  ["name", "Name"],
  ["disagreement", "Disagreement of methods"],
  ["mean", "Mean score"],
  ["spread", "Spread over runs"],
  ["difference", "Difference of two methods"],
];

const DIRECTIONS = [
  [true, "Highest first"],
  [false, "Lowest first"],
];

/**
 * Make the section of a data set's images.
 *
 * @param onOrder Called with the indices of the images shown, in order.
 */
function gallerySection(dataset, onOrder) {
  const columns = imageColumns(dataset);
  const state = {
    by: "name",
    column: columns[0]?.name,
    method: 0,
    minus: Math.min(1, dataset.methods.length - 1),
    descending: true,
    text: "",
    from: "",
    to: "",
    picture: dataset.images.some((image) => image.hr) ? "hr" : "0",
  };
  const count = element("output", { class: "count" });
  const list = element("ul", { class: "gallery" });
  const cards = dataset.images.map((image, index) => galleryCard(dataset, image, index));
  const controls = galleryControls(dataset, columns, state, update);

  function update() {
    controls.show();
    const values = dataset.images.map((_, index) => quantityOf(dataset, state, index));
    const shown = sorted(
      chosenImages(dataset, state, values),
      (index) => values[index],
      state.descending && !byName(state),
    );
    cards.forEach((card, index) => {
      card.show(state, values[index]);
    });
    list.replaceChildren(...shown.map((index) => cards[index].item));
    count.textContent = `${shown.length} of ${plural(dataset.images.length, "image")}`;
    onOrder(shown);
  }

  update();
  return element(
    "section",
    { "aria-labelledby": "images" },
    element("h2", { id: "images", text: "Images" }),
    controls.form,
    element("p", { class: "legend" }, count, " ", controls.meaning),
    list,
  );
}

function byName(state) {
  return state.by === "name";
}

/** The value by which an image is sorted and filtered; null where the image lacks it, and when sorting by name. */
function quantityOf(dataset, state, image) {
  if (byName(state)) return null;
  const method = dataset.methods[state.method];
  if (state.by === "disagreement") return imageDisagreement(dataset, state.column, image);
  if (state.by === "spread") return imageSpread(method, state.column, image);
  const value = imageMean(method, state.column, image);
  if (state.by === "mean") return value;
  const other = imageMean(dataset.methods[state.minus], state.column, image);
  return value === null || other === null ? null : value - other;
}

function chosenImages(dataset, state, values) {
  const text = state.text.trim().toLowerCase();
  const inside = (value) =>
    (state.from === "" || (value !== null && value >= Number(state.from))) &&
    (state.to === "" || (value !== null && value <= Number(state.to)));
  return dataset.images
    .map((_, index) => index)
    .filter(
      (index) => dataset.images[index].name.toLowerCase().includes(text) && (byName(state) || inside(values[index])),
    );
}

/** The sentence that says what the images are sorted by. */
function quantityMeaning(dataset, state) {
  if (byName(state)) return "";
  const { label } = columnOf(dataset, state.column);
  const title = dataset.methods[state.method].title;
  const several = state.column === "l-std" ? "" : ", averaged over runs";
  return {
    disagreement: `sorted by the largest minus the smallest ${label} of the methods on an image${several}.`,
    mean: `sorted by the ${label} of ${title}${several}.`,
    spread: `sorted by the standard deviation over runs of the ${label} of ${title}.`,
    difference: `sorted by the ${label} of ${title} minus that of ${dataset.methods[state.minus].title}${several}.`,
  }[state.by];
}

/** The form that sorts and filters: {form, meaning, show}; show() updates it after a change of the state. */
function galleryControls(dataset, columns, state, update) {
  const fields = galleryFields(dataset, columns, state, update);
  const meaning = element("span");
  const show = () => {
    const scores = !byName(state);
    for (const name of ["column", "order", "from", "to"]) fields[name].hidden = !scores;
    fields.method.hidden = !scores || state.by === "disagreement";
    fields.minus.hidden = state.by !== "difference";
    meaning.textContent = quantityMeaning(dataset, state);
  };
  const form = element(
    "form",
    { class: "fields", "aria-label": "Sort and filter images", on: { submit: (event) => event.preventDefault() } },
    ...Object.values(fields),
  );
  return { form, meaning, show };
}

function galleryFields(dataset, columns, state, update) {
  const set =
    (name, read = (text) => text) =>
    (text) => {
      state[name] = read(text);
      update();
    };
  const pick = (label, name, options, read) => choice(label, options, state[name], set(name, read));
  const input = (label, name, attributes) =>
    field(label, element("input", { ...attributes, on: { input: (event) => set(name)(event.target.value) } }));
  const methods = dataset.methods.map((method, index) => [index, method.title]);
  const metrics = columns.map(({ name, label }) => [name, label]);
  return {
    by: pick("Sort by", "by", galleryOrders(columns, methods)),
    column: pick("Metric", "column", metrics),
    method: pick("Method", "method", methods, Number),
    minus: pick("Minus", "minus", methods, Number),
    order: pick("Order", "descending", DIRECTIONS, (text) => text === "true"),
    from: input("From", "from", { type: "number", step: "any" }),
    to: input("To", "to", { type: "number", step: "any" }),
    text: input("Name contains", "text", { type: "search" }),
    picture: pick("Picture", "picture", pictureOptions(dataset)),
  };
}

/** The orders that are possible: only names without scores, and no comparison of methods where there is a single one. */
function galleryOrders(columns, methods) {
  const possible = columns.length === 0 ? ["name"] : methods.length === 1 ? ["name", "mean", "spread"] : null;
  return ORDERS.filter(([name]) => possible === null || possible.includes(name));
}

function pictureOptions(dataset) {
  const reference = dataset.images.some((image) => image.hr) ? [["hr", "HR"]] : [];
  return [...reference, ...dataset.methods.map((method, index) => [index, method.title])];
}

function galleryCard(dataset, image, index) {
  const thumbnail = element("img", {
    alt: "",
    loading: "lazy",
    decoding: "async",
    width: image.width,
    height: image.height,
  });
  const value = element("span", { class: "value" });
  const item = element(
    "li",
    {},
    element(
      "a",
      { href: imageAddress(dataset, index), id: `card-${index}` },
      thumbnail,
      element("span", { class: "name", text: image.name }),
      value,
    ),
  );
  const show = (state, quantity) => {
    const file =
      state.picture === "hr"
        ? hrThumbnailFile(image)
        : dataset.methods[state.picture].present[index]
          ? thumbnailFile(image, state.picture)
          : null;
    if (file === null) thumbnail.removeAttribute("src");
    else if (thumbnail.getAttribute("src") !== file) thumbnail.setAttribute("src", file);
    const decimals =
      byName(state) || state.by === "spread" ? SPREAD_DECIMALS : columnOf(dataset, state.column).decimals;
    value.textContent = byName(state) ? "" : `${columnOf(dataset, state.column).label} ${fixed(quantity, decimals)}`;
  };
  return { item, show };
}
