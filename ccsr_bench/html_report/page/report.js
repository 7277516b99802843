"use strict";

// The page: which view is shown, and in which theme.

const view = { dataset: null, image: null, order: [], scroll: 0 };

function start() {
  document.getElementById("made-by").textContent = `Made by ccsr-bench ${REPORT.version}.`;
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address names the view
    document.getElementById("main").focus();
  });
  history.scrollRestoration = "manual"; // a view is shown after its address changes
  addSeriesColours();
  startTheme(document.getElementById("theme"));
  window.addEventListener("hashchange", () => route(true));
  route(false);
}

/** Show the view that the address names; after a step within the page, focus its heading so that it is read out. */
function route(moved) {
  const [overview, viewer] = [document.getElementById("overview"), document.getElementById("viewer")];
  const { dataset, image } = readAddress(location.hash);
  const focused = document.activeElement?.id;
  if (!overview.hidden && view.image === null) view.scroll = window.scrollY;
  if (view.dataset !== dataset) showOverview(overview, dataset);
  const from = view.image;
  view.dataset = dataset;
  view.image = image;
  overview.hidden = image !== null;
  viewer.hidden = image === null;
  if (image !== null) showImage(viewer, dataset, image, view.order);
  else viewer.replaceChildren();
  document.title = `${image !== null ? `${dataset.images[image].name}, ` : ""}${dataset.name}: ccsr-bench report`;
  showDatasets(dataset);
  if (moved) settle(image, from, focused);
}

/** Put scrolling and focus where a reader expects them after a step. */
function settle(image, from, focused) {
  if (image === null) {
    window.scrollTo(0, view.scroll);
    (document.getElementById(`card-${from}`) ?? document.querySelector("#overview h1")).focus({ preventScroll: true });
    return;
  }
  const step = ["previous", "next"].includes(focused) ? document.getElementById(focused) : null;
  if (!step) window.scrollTo(0, 0);
  (step ?? document.getElementById("image-name")).focus({ preventScroll: true });
}

function showOverview(box, dataset) {
  view.scroll = 0;
  box.replaceChildren(
    ...[
      element("h1", { tabindex: -1, text: dataset.name }),
      element("p", { class: "lead", text: overviewWords(dataset) }),
      resultsSection(dataset),
      plotsSection(dataset),
      gallerySection(dataset, (order) => {
        view.order = order;
      }),
    ].filter(Boolean),
  );
}

function overviewWords(dataset) {
  const runs = Math.max(...dataset.methods.map((method) => method.runs));
  const reference = dataset.images.some((image) => image.hr)
    ? ""
    : " The LR and HR images were not available when this report was made.";
  const counts = `${plural(dataset.methods.length, "method")} on ${plural(dataset.images.length, "image")}`;
  return `${counts}, up to ${plural(runs, "run")} of each image.${reference}`;
}

function showDatasets(current) {
  const links = REPORT.datasets.map((dataset) =>
    element("a", {
      href: overviewAddress(dataset),
      text: dataset.name,
      "aria-current": dataset === current ? "page" : null,
    }),
  );
  document.getElementById("datasets").replaceChildren(...(links.length > 1 ? links : []));
}

function startTheme(select) {
  const apply = () => {
    if (select.value) document.documentElement.dataset.theme = select.value;
    else delete document.documentElement.dataset.theme;
  };
  try {
    select.value = localStorage.getItem("ccsr-bench theme") ?? "";
  } catch {
    select.value = ""; // some browsers store nothing for pages from disk
  }
  select.addEventListener("change", () => {
    apply();
    try {
      localStorage.setItem("ccsr-bench theme", select.value);
    } catch {
      // not stored: the choice lasts until the page is closed
    }
  });
  apply();
}

start();
