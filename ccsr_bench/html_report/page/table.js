"use strict";

// The table of results: one row for each method, which can be sorted by any column.

/** Make the section of a data set's table and the notes below it. */
function resultsSection(dataset) {
  const rows = dataset.methods.map((method, index) => ({ method, index }));
  const columns = [
    { label: "Method", first: "ascending", key: ({ method }) => method.title.toLowerCase(), cell: methodCell },
    { label: "N", first: "descending", key: ({ method }) => method.runs, cell: ({ method }) => plainCell(method.runs) },
    {
      label: "Images",
      first: "descending",
      key: ({ method }) => method.images,
      cell: ({ method }) => plainCell(method.coverage),
    },
    ...dataset.columns.map((column) => metricColumn(column)),
    {
      label: "Seconds ↓",
      title: "Median wall time of an output: lower is better",
      first: "ascending",
      key: ({ method }) => method.seconds,
      cell: ({ method }) => plainCell(secondsText(method.seconds)),
    },
  ];
  return element(
    "section",
    { "aria-labelledby": "results" },
    element("h2", { id: "results", text: "Results" }),
    sortableTable(`Results on ${dataset.name}`, columns, rows),
    element(
      "p",
      { class: "legend" },
      "Cells show value/G-STD (“–” where there is none), and below it the value’s 95 % bootstrap interval over images. ",
      element("strong", { text: "Bold" }),
      " marks the best value of a column, ",
      element("u", { text: "underlining" }),
      " the second best.",
    ),
    element(
      "details",
      { class: "notes" },
      element("summary", { text: "Protocol, definitions and versions" }),
      element("ul", {}, ...dataset.notes.map((note) => element("li", {}, ...withCode(note)))),
    ),
  );
}

function secondsText(seconds) {
  return seconds === null ? "–" : seconds.toPrecision(seconds < 1000 ? 3 : 4);
}

function methodCell({ method, index }) {
  return element("th", { scope: "row" }, mark(index), method.title);
}

function plainCell(value) {
  return element("td", { text: value });
}

const MARKED = { "": "span", best: "strong", second: "u" };
const MARKED_IN_WORDS = { best: ", best", second: ", second best" }; // for screen readers

function metricColumn(column) {
  const cellOf = ({ method }) => method.cells[column.name];
  return {
    label: `${column.label} ${arrow(column)}`,
    title: `${column.title}: ${betterWords(column)}`,
    first: column.higher_is_better ? "descending" : "ascending",
    key: (row) => cellOf(row)?.value ?? null,
    complete: (row) => cellOf(row)?.complete ?? false,
    cell: (row) => {
      const cell = cellOf(row);
      if (!cell) return element("td", { text: "–" });
      const spread = column.kind === "stability" ? "" : `/${fixed(cell.g_std, SPREAD_DECIMALS)}`;
      return element(
        "td",
        {},
        element(MARKED[cell.mark], { text: fixed(cell.value, column.decimals) }),
        spread,
        cell.coverage && ` (${cell.coverage})`,
        cell.mark && element("span", { class: "visually-hidden", text: MARKED_IN_WORDS[cell.mark] }),
        cell.interval && element("span", { class: "interval", text: intervalText(cell.interval, column.decimals) }),
      );
    },
  };
}

function intervalText([low, high], decimals) {
  return `${fixed(low, decimals)} to ${fixed(high, decimals)}`;
}

/** Make a table whose headers are buttons that sort it; rows whose value is not complete come after all others. */
function sortableTable(caption, columns, rows) {
  const body = element("tbody");
  const headers = columns.map((column, index) =>
    element(
      "th",
      { scope: "col" },
      element("button", {
        type: "button",
        title: column.title ?? null,
        text: column.label,
        on: { click: () => sortBy(index) },
      }),
    ),
  );
  const show = (order) =>
    body.replaceChildren(...order.map((row) => element("tr", {}, ...columns.map((column) => column.cell(row)))));

  function sortBy(index) {
    const before = headers[index].getAttribute("aria-sort");
    const { first, key, complete = () => true } = columns[index];
    const order = before === first ? (first === "ascending" ? "descending" : "ascending") : first;
    for (const header of headers) header.removeAttribute("aria-sort");
    headers[index].setAttribute("aria-sort", order);
    const ordered = sorted(rows, key, order === "descending");
    show([...ordered.filter(complete), ...ordered.filter((row) => !complete(row))]);
  }

  show(rows);
  return scrollingTable(caption, headers, body);
}

/** Make a table in a box that scrolls sideways where it is narrow. */
function scrollingTable(caption, headers, body, foot = null) {
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", { class: "visually-hidden", text: caption }),
      element("thead", {}, element("tr", {}, ...headers)),
      body,
      foot,
    ),
  );
}

/** Headers of a table that cannot be sorted: the header of its rows, then those of the columns. */
function plainHeaders(rows, columns) {
  return [
    element("th", { scope: "col", text: rows }),
    ...columns.map((column) =>
      element("th", { scope: "col", title: betterWords(column), text: `${column.label} ${arrow(column)}` }),
    ),
  ];
}

/** Return rows in the order of a key; rows without a key come last in both directions, equal rows keep their order. */
function sorted(rows, key, descending) {
  const keyed = rows.map((row) => ({ row, value: key(row) }));
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
    const order = a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
    return descending ? -order : order;
  });
  return keyed.map(({ row }) => row);
}
