"use strict";

// Reading the report's data, which data.js defines as REPORT (see ccsr_bench/html_report/content.py).

const SPREAD_DECIMALS = REPORT.spread_decimals;
const RUN_DIGITS = 2;

function mean(values) {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** Population standard deviation (ddof 0); equal values give exactly 0. */
function standardDeviation(values) {
  const shifted = values.map((value) => value - values[0]);
  const centre = mean(shifted);
  return Math.sqrt(mean(shifted.map((value) => (value - centre) ** 2)));
}

/** A column's scores of one image, one for each run; null where there are none. */
function imageScores(method, column, image) {
  return method.scores[column]?.[image] ?? null;
}

function imageMean(method, column, image) {
  const scores = imageScores(method, column, image);
  return scores && mean(scores);
}

/** The standard deviation over runs of an image's scores; null for a single one. */
function imageSpread(method, column, image) {
  const scores = imageScores(method, column, image);
  return scores && scores.length > 1 ? standardDeviation(scores) : null;
}

/** Run -> "best" or "worst", for an image of a method; empty where all runs have the same score or are not ranked. */
function runWords(method, image) {
  const [best, worst] = [method.best[image], method.worst[image]];
  return best === worst ? {} : { [best]: "best", [worst]: "worst" };
}

/** How far apart methods are on an image: the largest minus the smallest of their means; null for fewer than two. */
function imageDisagreement(dataset, column, image) {
  const means = dataset.methods.map((method) => imageMean(method, column, image)).filter((value) => value !== null);
  return means.length > 1 ? Math.max(...means) - Math.min(...means) : null;
}

/** The columns that have scores of single images. */
function imageColumns(dataset) {
  return dataset.columns.filter(({ name }) => dataset.methods.some((method) => name in method.scores));
}

function columnOf(dataset, name) {
  return dataset.columns.find((column) => column.name === name);
}

function arrow(column) {
  return column.higher_is_better ? "↑" : "↓";
}

function betterWords(column) {
  return column.higher_is_better ? "higher is better" : "lower is better";
}

function fixed(value, decimals) {
  return value === null || value === undefined ? "–" : value.toFixed(decimals);
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

// Files of one image, as ccsr_bench/html_report/pictures.py names them.

function outputFile(image, method, run) {
  return `${image.folder}/m${method}-r${String(run).padStart(RUN_DIGITS, "0")}.png`;
}

function heatFile(image, method) {
  return `${image.folder}/m${method}-std.png`;
}

function thumbnailFile(image, method) {
  return `${image.folder}/m${method}-small.jpg`;
}

function lrFile(image) {
  return image.lr && `${image.folder}/${image.lr}`;
}

function hrFile(image) {
  return image.hr && `${image.folder}/${image.hr}`;
}

function hrThumbnailFile(image) {
  return image.hr && `${image.folder}/hr-small.jpg`;
}

// Addresses within the page: #RealSR is a data set's front page, #RealSR/12 its image of that number.

function overviewAddress(dataset) {
  return `#${encodeURIComponent(dataset.name)}`;
}

function imageAddress(dataset, image) {
  return `#${encodeURIComponent(dataset.name)}/${image}`;
}

/** The data set, and the index of the image or null, that an address names; the first data set for unknown addresses. */
function readAddress(hash) {
  const [, name, image] = /^#([^/]*)(?:\/(\d+))?$/.exec(hash) ?? [];
  const dataset = REPORT.datasets.find((candidate) => encodeURIComponent(candidate.name) === name);
  if (!dataset) return { dataset: REPORT.datasets[0], image: null };
  return { dataset, image: image !== undefined && Number(image) < dataset.images.length ? Number(image) : null };
}
