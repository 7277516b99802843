"use strict";

// Making elements. Whatever comes from outside (names, titles, notes) becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an HTML element. Properties: `on` (listeners by event), `text`, and attributes; null and false are left out. */
function element(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** Make an SVG element, as `element` does. */
function svgElement(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(made, { on = {}, text = null, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  if (text !== null) made.textContent = text;
  for (const [event, listener] of Object.entries(on)) made.addEventListener(event, listener);
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

let fields = 0;

/** A control below its label. */
function field(label, control) {
  fields += 1;
  control.id = `field-${fields}`;
  return element("div", { class: "field" }, element("label", { for: control.id, text: label }), control);
}

/** A labelled <select> of [value, text] pairs. */
function choice(label, options, value, onChange) {
  const select = element(
    "select",
    { on: { change: () => onChange(select.value) } },
    ...options.map(([name, text]) =>
      element("option", { value: name, text, selected: String(name) === String(value) }),
    ),
  );
  return field(label, select);
}

/** Text in which `words` between backticks are code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", { text: part }) : part));
}

/** A method's mark: shape and colour, the same in table, plots and pictures. */
function mark(index, size = 12) {
  const box = { class: "mark", viewBox: "-8 -8 16 16", width: size, height: size, "aria-hidden": "true" };
  return svgElement("svg", box, markShape(index));
}

const SHAPES = [
  ["circle", { r: 6 }],
  ["rect", { x: -5.5, y: -5.5, width: 11, height: 11 }],
  ["path", { d: "M0-7 6.5 5H-6.5Z" }],
  ["path", { d: "M0-7.5 7.5 0 0 7.5-7.5 0Z" }],
  ["path", { d: "M-6.5-5H6.5L0 7Z" }],
  ["path", { d: "M-2.5-7h5v4.5H7v5H2.5V7h-5V2.5H-7v-5h4.5Z" }],
  ["path", { d: "M0-7.5 2.2-2.8 7.1-2.3 3.4 1 4.4 6.1 0 3.5-4.4 6.1-3.4 1-7.1-2.3-2.2-2.8Z" }],
];
const COLOURS = 8;

/** The shape alone, around (0, 0). Seven shapes and eight colours: no two of 56 methods look alike. */
function markShape(index) {
  const [tag, attributes] = SHAPES[index % SHAPES.length];
  return svgElement(tag, { class: `series-${index % COLOURS}`, ...attributes });
}
