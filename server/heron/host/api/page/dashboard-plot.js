/** A line or dot plot of numbers over the last minutes, drawn on a canvas in the page's own colours. */

const SPAN_S = 300;
export const NUM_COLOURS = 4;
const MARGIN = { left: 44, right: 8, top: 8, bottom: 18 };

/**
 * Draw series `{model, points, colour}` of points `[seconds since 1970, value]`, colours counted from 1; `kind` is
 * "line" or "dots". The canvas's label tells the last value and the range of each, for those who do not see it.
 */
export function draw(canvas, series, { kind = "line", most = 0, unit = "" } = {}) {
  const now = Date.now() / 1000;
  const shown = series
    .map((one) => ({ ...one, points: one.points.filter(([time]) => now - time <= SPAN_S) }))
    .filter((one) => one.points.length);
  const frame = prepare(canvas);
  const top = niceTop(Math.max(most, ...shown.flatMap((one) => one.points.map(([, value]) => value))));
  const x = (time) => MARGIN.left + (1 - (now - time) / SPAN_S) * (frame.width - MARGIN.left - MARGIN.right);
  const y = (value) => MARGIN.top + (1 - value / top) * (frame.height - MARGIN.top - MARGIN.bottom);
  drawGrid(frame, top, y);
  for (const { points, colour } of shown) {
    frame.context.strokeStyle = frame.context.fillStyle = frame.colour(`--series-${colour}`);
    const places = points.map(([time, value]) => [x(time), y(value)]);
    (kind === "dots" ? drawDots : drawLine)(frame.context, places);
  }
  canvas.setAttribute("aria-label", describe(canvas, shown, unit));
}

function prepare(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.font = "11px system-ui, sans-serif";
  // A custom property with light-dark() is not a colour a canvas can read; a resolved one is.
  const probe = document.createElement("span");
  canvas.parentElement.append(probe);
  const colour = (name) => {
    probe.className = `colour${name}`;
    probe.style.setProperty("color", `var(${name})`);
    return getComputedStyle(probe).color;
  };
  const frame = { context, width, height, colour: remember(colour) };
  for (let number = 1; number <= NUM_COLOURS; number++) frame.colour(`--series-${number}`);
  ["--line", "--quiet"].forEach(frame.colour);
  probe.remove();
  return frame;
}

function remember(find) {
  const found = new Map();
  return (name) => {
    if (!found.has(name)) found.set(name, find(name));
    return found.get(name);
  };
}

function drawGrid({ context, width, height, colour }, top, y) {
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const value of [0, top / 2, top]) {
    context.strokeStyle = colour("--line");
    context.beginPath();
    context.moveTo(MARGIN.left, Math.round(y(value)) + 0.5);
    context.lineTo(width - MARGIN.right, Math.round(y(value)) + 0.5);
    context.stroke();
    context.fillStyle = colour("--quiet");
    context.fillText(shorten(value), MARGIN.left - 6, y(value));
  }
  context.textBaseline = "bottom";
  context.textAlign = "left";
  context.fillText(`${SPAN_S / 60} minutes ago`, MARGIN.left, height);
  context.textAlign = "right";
  context.fillText("now", width - MARGIN.right, height);
}

function drawLine(context, places) {
  context.lineWidth = 1.75;
  context.lineJoin = "round";
  context.beginPath();
  places.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
}

function drawDots(context, places) {
  for (const [x, y] of places) {
    context.beginPath();
    context.arc(x, y, 2.25, 0, 2 * Math.PI);
    context.fill();
  }
}

/** The least of 1, 2, 5 times a power of ten that is not below the value. */
export function niceTop(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= value);
}

export function shorten(value) {
  return value >= 10000 ? `${Math.round(value / 1000)}k` : String(Math.round(value * 100) / 100);
}

function describe(canvas, series, unit) {
  const name = canvas.parentElement.querySelector("figcaption").textContent;
  if (!series.length) return `${name}: nothing yet`;
  const told = series.map(({ model, points }) => {
    const values = points.map(([, value]) => value);
    const [least, most] = [Math.min(...values), Math.max(...values)].map(shorten);
    return `${model} last ${shorten(values.at(-1))}${unit}, from ${least} to ${most}`;
  });
  return `${name} in the last minutes: ${told.join("; ")}`;
}
