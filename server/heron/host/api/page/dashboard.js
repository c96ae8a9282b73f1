/** The dashboard: asks the host once a second for its overview and shows it. The token is in the address's fragment. */

import { NUM_COLOURS, draw, shorten } from "./dashboard-plot.js";

const PERIOD_MS = 1000;
const KEPT = 300;
const history = { speed: new Map(), memory: new Map() };
const KEPT_S = 300;
const KEPT_FAILURES = 50;
const seen = { pid: 0, marks: { ended: 0, failures: 0 }, ended: [], failures: [] };
let last = null;
/** The models in the order in which they were first seen, which gives each its colour. */
const known = [];
let latest = null;

const element = (id) => document.getElementById(id);

start();

function start() {
  if (location.hash.length > 1) {
    sessionStorage.setItem("token", location.hash.slice(1));
    window.history.replaceState(null, "", location.pathname); // not left in the address bar or the browser's history
  }
  window.addEventListener("resize", () => latest && plot(latest));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => latest && plot(latest));
  refresh();
}

async function refresh() {
  if (!document.hidden) {
    try {
      const { ended, failures } = seen.marks;
      show(merge(await ask("GET", `v1/overview?ended=${ended}&failures=${failures}`)));
      tell("");
    } catch (error) {
      tell(error.message);
    }
  }
  setTimeout(refresh, PERIOD_MS);
}

/** The overview with what earlier ones told: each brings only what came since. Another process begins anew. */
function merge(overview) {
  const { host, marks } = overview;
  const isSame = host.pid === seen.pid;
  const since = Date.now() / 1000 - KEPT_S;
  seen.ended = [...(isSame ? seen.ended : []), ...overview.ended].filter((one) => one.ended > since);
  seen.failures = [...overview.failures, ...(isSame ? seen.failures : [])].slice(0, KEPT_FAILURES);
  Object.assign(seen, { pid: host.pid, marks });
  return { ...overview, ended: seen.ended, failures: seen.failures };
}

async function act(method, path) {
  try {
    await ask(method, path);
    tell("");
  } catch (error) {
    tell(error.message);
  }
}

/** Paths are relative: an editor on another machine shows this page below a path of its own. */
async function ask(method, path) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem("token") ?? ""}` };
  let answer;
  try {
    answer = await fetch(path, { method, headers });
  } catch {
    throw new Error("The host does not answer: it has left, or is starting again.");
  }
  const body = await answer.json();
  if (answer.status === 401) throw new Error("This page's token is not valid any more. Run heron dashboard again.");
  if (!answer.ok) throw new Error(body.error.message);
  return body;
}

function tell(problem) {
  const place = element("problem");
  if (place.textContent !== problem) place.textContent = problem;
  place.hidden = !problem;
}

function show(overview) {
  latest = overview;
  remember(overview);
  showState(overview);
  showNumbers(overview);
  showModels(overview);
  showRunning(overview.running);
  showClients(overview.ended);
  showFailures(overview.failures);
  plot(overview);
  const { pid, uptime_s } = overview.host;
  element("about").textContent = `Heron ${overview.version}, host process ${pid}, up ${duration(uptime_s)}. Nothing leaves this machine.`;
}

/** The chosen model and the others, each with its numbers. */
function models({ health, engine, others }) {
  return [{ ...health, engine, isChosen: true }, ...others].filter((one) => one.model);
}

function remember(overview) {
  const now = Date.now() / 1000;
  const tokens = new Map(models(overview).map((one) => [one.model, one.engine.decoded_tokens_total ?? 0]));
  for (const { model, engine } of models(overview)) {
    const before = last?.tokens.get(model);
    if (before != null && engine.loaded) {
      keep(history.speed, model, [now, Math.max(0, (tokens.get(model) - before) / (now - last.time))]);
    }
    if (engine.resident_bytes) keep(history.memory, model, [now, engine.resident_bytes / 1e6]);
  }
  last = { time: now, tokens };
}

function keep(series, model, point) {
  series.set(model, [...(series.get(model) ?? []), point].slice(-KEPT));
}

function showState({ health }) {
  const place = element("state");
  const done = health.fraction == null ? "" : ` ${Math.round(health.fraction * 100)}%`;
  const text = `${health.model || "no model"}: ${health.state}${done}. ${health.message ?? ""}`;
  if (place.textContent !== text) place.textContent = text;
  place.dataset.state = health.state;
}

function showModels(overview) {
  const rows = models(overview).map((one) => {
    const { model, engine } = one;
    const isLoaded = engine.loaded === 1;
    const state = isLoaded || one.state !== "ready" ? one.state : "not loaded";
    const memory = engine.resident_bytes ? megabytes(engine.resident_bytes) : "–";
    const row = cells([model, state], [memory, engine.pages ? `${engine.used_pages} of ${engine.pages}` : "–"]);
    const cell = document.createElement("td");
    if (isLoaded || ["ready", "failed"].includes(one.state)) cell.append(modelButton(one, isLoaded ? "Unload" : "Load"));
    row.append(cell);
    return row;
  });
  refill("models", rows.length ? rows : [nothing(5, "No model has been chosen yet.")]);
}

function modelButton({ model, isChosen }, verb) {
  const action = verb.toLowerCase();
  const path = isChosen && verb === "Load" ? "v1/model/load" : `v1/models/${encodeURIComponent(model)}/${action}`;
  return button(verb, `${verb} ${model}`, `model ${model}`, () => act("POST", path));
}

/** `key` finds the button again when its table is filled anew, so that it keeps the focus. */
function button(text, label, key, press) {
  const made = make("button", text);
  made.type = "button";
  made.dataset.key = key;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", press);
  return made;
}

function showNumbers({ engine, ended, host, cache }) {
  const first = median(ended.map((one) => one.first_ms).filter((value) => value != null));
  const drafted = engine.drafted_tokens_total ?? 0;
  const rows = [
    ["Running", shorten(engine.running_requests ?? 0)],
    ["Waiting", shorten(engine.waiting_requests ?? 0)],
    ["First token, median", first == null ? "–" : `${shorten(Math.round(first))} ms`],
    ["KV pages in use", engine.pages ? `${engine.used_pages} of ${engine.pages}` : "–"],
    ["Drafts accepted", drafted ? `${Math.round((100 * engine.accepted_draft_tokens_total) / drafted)}%` : "–"],
    ["Answered from memory", answered(cache)],
    ["Answers kept", kept(cache)],
    ["Worker's memory", engine.resident_bytes ? megabytes(engine.resident_bytes) : "–"],
    ["Host's memory", megabytes(host.resident_bytes)],
    ["Worker restarts", shorten(engine.worker_crashes_total ?? 0)],
  ];
  fill(element("numbers"), rows.map(([name, value]) => {
    const box = document.createElement("div");
    box.append(make("dt", name), make("dd", value));
    return box;
  }));
}

function answered(cache) {
  const hits = cache.response_cache_hits_total;
  const all = hits + cache.response_cache_misses_total;
  return all ? `${shorten(hits)} of ${shorten(all)}` : "–";
}

function kept(cache) {
  const limit = cache.response_cache_limit_bytes;
  return limit ? `${cache.response_cache_entries}, ${megabytes(cache.response_cache_bytes)} of ${megabytes(limit)}` : "none";
}

function showRunning(running) {
  const rows = running.map((one) => {
    const label = `Stop the ${one.priority} of ${one.client || "an unnamed client"}`;
    const stop = () => act("DELETE", `v1/requests/${encodeURIComponent(one.id)}`);
    const cell = document.createElement("td");
    cell.append(button("Stop", label, `request ${one.id}`, stop));
    const row = cells([one.client || "–", one.priority], [duration(one.age_ms / 1000), one.completion_tokens]);
    row.append(cell);
    return row;
  });
  refill("running", rows.length ? rows : [nothing(5, "No request is running.")]);
}

function showClients(ended) {
  const byClient = Map.groupBy ? Map.groupBy(ended, (one) => one.client) : group(ended);
  const rows = [...byClient].map(([client, list]) => {
    const first = median(list.map((one) => one.first_ms).filter((value) => value != null));
    const tokens = list.reduce((sum, one) => sum + one.completion_tokens, 0);
    return cells([client || "–"], [list.length, tokens, first == null ? "–" : `${Math.round(first)} ms`]);
  });
  fill(element("clients"), rows.length ? rows : [nothing(4, "Nobody has asked.")]);
}

function group(list) {
  const groups = new Map();
  for (const one of list) groups.set(one.client, [...(groups.get(one.client) ?? []), one]);
  return groups;
}

function showFailures(failures) {
  const rows = failures.map((one) => {
    const when = new Date(one.time * 1000).toLocaleTimeString();
    return cells([when, one.category, one.message], []);
  });
  fill(element("failures"), rows.length ? rows : [nothing(3, "None.")]);
}

function plot({ ended }) {
  const first = byModel(ended, (one) => one.first_ms);
  const cache = byModel(ended, (one) => (one.prompt_tokens > 0 ? (100 * one.cached_tokens) / one.prompt_tokens : null));
  const plots = [first, history.speed, cache, history.memory];
  for (const model of plots.flatMap((series) => [...series.keys()])) if (!known.includes(model)) known.push(model);
  const [firsts, speeds, shares, sizes] = plots.map(coloured);
  draw(element("plot-first"), firsts, { kind: "dots", unit: " ms" });
  draw(element("plot-speed"), speeds);
  draw(element("plot-cache"), shares, { kind: "dots", most: 100, unit: "%" });
  draw(element("plot-memory"), sizes, { unit: " MB" });
  showLegend();
}

/** Points of requests that ended, by model; those without a value are left out. */
function byModel(ended, value) {
  const series = new Map();
  for (const one of ended) {
    const found = value(one);
    if (found != null) series.set(one.model, [...(series.get(one.model) ?? []), [one.ended, found]]);
  }
  return series;
}

function coloured(series) {
  return [...series].map(([model, points]) => ({ model, points, colour: colourOf(model) }));
}

function colourOf(model) {
  return 1 + (known.indexOf(model) % NUM_COLOURS);
}

/** Whose colour is whose, once there is more than one. */
function showLegend() {
  element("legend").hidden = known.length < 2;
  fill(element("legend"), known.map((model) => {
    const name = make("span", model);
    name.className = `series-${colourOf(model)}`;
    return name;
  }));
}

function cells(texts, numbers) {
  const row = document.createElement("tr");
  for (const text of texts) row.append(make("td", text));
  for (const number of numbers) {
    const cell = make("td", number);
    cell.className = "number";
    row.append(cell);
  }
  return row;
}

function nothing(columns, text) {
  const cell = make("td", text);
  cell.colSpan = columns;
  cell.className = "empty";
  const row = document.createElement("tr");
  row.append(cell);
  return row;
}

function make(kind, text) {
  const made = document.createElement(kind);
  made.textContent = String(text);
  return made;
}

function fill(place, children) {
  place.replaceChildren(...children);
}

/** Fill a table whose rows have buttons; one that has the focus has it afterwards. */
function refill(id, rows) {
  const focused = element(id).contains(document.activeElement) ? document.activeElement.dataset.key : "";
  fill(element(id), rows);
  if (focused) element(id).querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function median(values) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function megabytes(bytes) {
  return `${Math.round(bytes / 1e6).toLocaleString()} MB`;
}

function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
