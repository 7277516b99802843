"use strict";

// Making elements. All data from outside (names, titles, notes) becomes text, never markup.

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

/** The parts of a text, in which words between backticks become code elements. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", { text: part }) : part));
}

/** A method's mark: shape and colour, the same in table, plots and pictures. */
function mark(index, size = 12) {
  const box = { class: "mark", viewBox: "-8 -8 16 16", width: size, height: size, "aria-hidden": "true" };
  return svgElement("svg", box, markShape(index));
}

/** The shape alone, around (0, 0). */
function markShape(index) {
  return svgElement("path", { class: seriesClass(index), d: REPORT.markers[index % REPORT.markers.length] });
}

/** The class that has a method's colour. */
function seriesClass(index) {
  return `series-${index % REPORT.colours.length}`;
}

/** Make the classes of methods' colours, for a light and a dark page. */
function addSeriesColours() {
  const sheet = new CSSStyleSheet();
  REPORT.colours.forEach(({ light, dark }, index) => {
    sheet.insertRule(`:root { --series-${index}: light-dark(${light}, ${dark}); }`);
    sheet.insertRule(`.series-${index} { --series: var(--series-${index}); }`);
  });
  document.adoptedStyleSheets.push(sheet);
}
