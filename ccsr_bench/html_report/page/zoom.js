"use strict";

// One zoom for all pictures of an image: zooming or moving one picture does the same to all.

const LARGEST_ZOOM = 32;
const ZOOM_STEP = 1.5;
const MOVE_STEP = 0.15; // fraction of the visible part, for an arrow key
const PIXELS_FROM = 4; // zoom from which pixels are shown as squares

/**
 * Make a zoom.
 *
 * @param root The element that contains the panes; it gets the variables --zoom, --left and --top, which panes follow.
 */
function createZoom(root) {
  const state = { factor: 1, left: 0, top: 0 }; // left and top: the visible part's corner, as a fraction of the picture
  const factor = element("output", { class: "zoom-factor", "aria-label": "Zoom" });

  function apply() {
    const most = 1 - 1 / state.factor;
    state.left = Math.min(most, Math.max(0, state.left));
    state.top = Math.min(most, Math.max(0, state.top));
    root.style.setProperty("--zoom", state.factor);
    root.style.setProperty("--left", `${-100 * state.left * state.factor}%`);
    root.style.setProperty("--top", `${-100 * state.top * state.factor}%`);
    root.classList.toggle("zoomed", state.factor > 1);
    root.classList.toggle("pixels", state.factor >= PIXELS_FROM);
    factor.textContent = `${state.factor.toFixed(1)}×`;
  }

  /** Zoom so that the point at (x, y), fractions of a pane, stays where it is. */
  function zoomTo(wanted, x = 0.5, y = 0.5) {
    const next = Math.min(LARGEST_ZOOM, Math.max(1, wanted));
    state.left += x / state.factor - x / next;
    state.top += y / state.factor - y / next;
    state.factor = next;
    apply();
  }

  /** Move the visible part, by fractions of itself. */
  function moveBy(x, y) {
    state.left += x / state.factor;
    state.top += y / state.factor;
    apply();
  }

  const reset = () => zoomTo(1);
  const zoomBy = (ratio, x, y) => zoomTo(state.factor * ratio, x, y);
  const button = (text, label, click) =>
    element("button", { type: "button", text, "aria-label": label, title: label, on: { click } });
  const controls = element(
    "div",
    { class: "zoom", role: "group", "aria-label": "Zoom of all pictures" },
    button("−", "Zoom out", () => zoomBy(1 / ZOOM_STEP)),
    factor,
    button("+", "Zoom in", () => zoomBy(ZOOM_STEP)),
    button("Fit", "Show whole pictures", reset),
  );
  apply();
  return { controls, follow: (pane) => followPointers(pane, zoomBy, moveBy), keys: zoomKeys(zoomBy, moveBy, reset) };
}

/** A keydown listener for a focused picture: + and − zoom, 0 shows the whole picture, the arrow keys move. */
function zoomKeys(zoomBy, moveBy, reset) {
  const actions = {
    "+": () => zoomBy(ZOOM_STEP),
    "=": () => zoomBy(ZOOM_STEP),
    "-": () => zoomBy(1 / ZOOM_STEP),
    0: reset,
    ArrowLeft: () => moveBy(-MOVE_STEP, 0),
    ArrowRight: () => moveBy(MOVE_STEP, 0),
    ArrowUp: () => moveBy(0, -MOVE_STEP),
    ArrowDown: () => moveBy(0, MOVE_STEP),
  };
  return (event) => {
    if (event.target !== event.currentTarget || !actions[event.key] || event.ctrlKey || event.metaKey || event.altKey)
      return;
    event.preventDefault();
    actions[event.key]();
  };
}

/** Let a pane zoom with Ctrl and the wheel, two fingers or a double click, and move by dragging. */
function followPointers(pane, zoomBy, moveBy) {
  const pointers = new Map();
  const inPane = (x, y) => {
    const box = pane.getBoundingClientRect();
    return [(x - box.left) / box.width, (y - box.top) / box.height];
  };
  const distance = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  pane.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
      event.preventDefault();
      zoomBy(Math.exp(-event.deltaY / 300), ...inPane(event.clientX, event.clientY));
    },
    { passive: false },
  );
  pane.addEventListener("dblclick", (event) => zoomBy(2, ...inPane(event.clientX, event.clientY)));
  pane.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pane.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
  });
  pane.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const apart = pointers.size === 2 ? distance() : 0;
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (pointers.size === 1) {
      const box = pane.getBoundingClientRect();
      moveBy((before[0] - event.clientX) / box.width, (before[1] - event.clientY) / box.height);
    } else if (apart > 0) {
      const [a, b] = [...pointers.values()];
      zoomBy(distance() / apart, ...inPane((a[0] + b[0]) / 2, (a[1] + b[1]) / 2));
    }
  });
  for (const end of ["pointerup", "pointercancel"])
    pane.addEventListener(end, (event) => pointers.delete(event.pointerId));
}

/**
 * Make a pane with one picture that follows a zoom.
 *
 * @param picture {file, alt, pixelated}.
 */
function zoomedPane(zoom, image, picture) {
  const pane = element("div", { class: "pane" }, pictureLayer(picture));
  pane.style.aspectRatio = `${image.width} / ${image.height}`;
  zoom.follow(pane);
  return pane;
}

function pictureLayer(picture) {
  return element(
    "div",
    { class: "layer" },
    element("img", {
      src: picture.file,
      alt: picture.alt,
      class: picture.pixelated ? "pixelated" : null,
      loading: "lazy",
      decoding: "async",
      draggable: "false",
    }),
  );
}
