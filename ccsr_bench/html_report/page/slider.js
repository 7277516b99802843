"use strict";

// Two pictures in the same place, with a divider to drag: one is visible left of it, the other one right of it.

/**
 * Make a slider.
 *
 * @param position Where the divider starts, in percent.
 * @param onMove Called with the new position.
 * @returns {node, show}; show takes two pictures {file, alt, label, pixelated}.
 */
function compareSlider(zoom, image, position, onMove) {
  const layers = { left: pictureHolder(), right: pictureHolder() };
  const tags = { left: element("span", { class: "tag left" }), right: element("span", { class: "tag right" }) };
  const label = "Divider between the left and the right picture";
  const range = element("input", { type: "range", min: 0, max: 100, step: 0.5, value: position, "aria-label": label });
  const pane = comparisonPane(zoom, image, layers, tags);
  const divider = element("div", { class: "divider", "aria-hidden": "true" });
  const node = element("div", { class: "slider" }, pane, divider, range);
  node.style.setProperty("--aspect", image.width / image.height);

  const place = () => {
    node.style.setProperty("--position", `${range.value}%`);
    range.setAttribute(
      "aria-valuetext",
      `${Math.round(range.value)} % ${tags.left.textContent}, the rest ${tags.right.textContent}`,
    );
  };
  range.addEventListener("input", () => {
    onMove(Number(range.value));
    place();
  });

  function show(left, right) {
    for (const [side, picture] of Object.entries({ left, right })) {
      layers[side].show(picture);
      tags[side].textContent = picture.label;
    }
    place();
  }

  return { node, show };
}

/** The pane of both pictures, which can be focused to zoom and move them with keys. */
function comparisonPane(zoom, image, layers, tags) {
  const pane = element(
    "div",
    {
      class: "pane",
      tabindex: 0,
      role: "group",
      "aria-label": "Comparison; plus, minus, zero and the arrow keys zoom and move",
      on: { keydown: zoom.keys },
    },
    element("div", { class: "half" }, layers.left.node),
    element("div", { class: "half right" }, layers.right.node),
    tags.left,
    tags.right,
  );
  pane.style.aspectRatio = `${image.width} / ${image.height}`;
  zoom.follow(pane);
  return pane;
}

/** A picture that changes without a flash, because the next picture is decoded before it is shown. */
function pictureHolder() {
  const img = element("img", { alt: "", draggable: "false" });
  let wanted = null;
  const show = (picture) => {
    wanted = picture;
    const next = new Image();
    next.src = picture.file;
    const exchange = () => {
      if (wanted !== picture) return;
      img.src = picture.file;
      img.alt = picture.alt;
      img.className = picture.pixelated ? "pixelated" : "";
    };
    next.decode().then(exchange, exchange);
  };
  return { node: element("div", { class: "layer" }, img), show };
}
