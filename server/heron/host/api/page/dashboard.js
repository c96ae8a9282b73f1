/** The dashboard: asks the host once a second for its overview and shows it. The token is in the address's fragment. */

import { draw, shorten } from "./dashboard-plot.js";

const PERIOD_MS = 1000;
const KEPT = 300;
const history = { speed: [], memory: [] };
const KEPT_S = 300;
const KEPT_FAILURES = 50;
const seen = { pid: 0, marks: { ended: 0, failures: 0 }, ended: [], failures: [] };
let last = null;
let latest = null;

const element = (id) => document.getElementById(id);

start();

function start() {
  if (location.hash.length > 1) {
    sessionStorage.setItem("token", location.hash.slice(1));
    window.history.replaceState(null, "", location.pathname); // not left in the address bar or the browser's history
  }
  element("load").addEventListener("click", () => act("POST", "v1/model/load"));
  element("unload").addEventListener("click", () => act("POST", "v1/model/unload"));
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
  showRunning(overview.running);
  showClients(overview.ended);
  showFailures(overview.failures);
  plot(overview);
  const { pid, uptime_s } = overview.host;
  element("about").textContent = `Heron ${overview.version}, host process ${pid}, up ${duration(uptime_s)}. Nothing leaves this machine.`;
}

function remember({ engine }) {
  const now = Date.now() / 1000;
  if (last) {
    const tokens = (engine.decoded_tokens_total ?? 0) - last.tokens;
    history.speed.push([now, Math.max(0, tokens / (now - last.time))]);
  }
  last = { time: now, tokens: engine.decoded_tokens_total ?? 0 };
  if (engine.resident_bytes) history.memory.push([now, engine.resident_bytes / 1e6]);
  for (const points of Object.values(history)) points.splice(0, points.length - KEPT);
}

function showState({ health, engine }) {
  const place = element("state");
  const done = health.fraction == null ? "" : ` ${Math.round(health.fraction * 100)}%`;
  const text = `${health.model || "no model"}: ${health.state}${done}. ${health.message ?? ""}`;
  if (place.textContent !== text) place.textContent = text;
  place.dataset.state = health.state;
  const isLoaded = engine.loaded === 1;
  element("unload").hidden = !isLoaded;
  element("load").hidden = isLoaded || !["ready", "failed"].includes(health.state);
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

function showRunning(running) {
  const kept = document.activeElement?.dataset?.request;
  const rows = running.map((one) => {
    const button = make("button", "Stop");
    button.type = "button";
    button.dataset.request = one.id;
    button.setAttribute("aria-label", `Stop the ${one.priority} of ${one.client || "an unnamed client"}`);
    button.addEventListener("click", () => act("DELETE", `v1/requests/${encodeURIComponent(one.id)}`));
    const cell = document.createElement("td");
    cell.append(button);
    const row = cells([one.client || "–", one.priority], [duration(one.age_ms / 1000), one.completion_tokens]);
    row.append(cell);
    return row;
  });
  fill(element("running"), rows.length ? rows : [nothing(5, "No request is running.")]);
  if (kept) document.querySelector(`[data-request="${CSS.escape(kept)}"]`)?.focus();
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
  const first = ended.filter((one) => one.first_ms != null).map((one) => [one.ended, one.first_ms]);
  const cache = ended.filter((one) => one.prompt_tokens > 0)
    .map((one) => [one.ended, (100 * one.cached_tokens) / one.prompt_tokens]);
  draw(element("plot-first"), first, { kind: "dots", unit: " ms" });
  draw(element("plot-speed"), history.speed);
  draw(element("plot-cache"), cache, { kind: "dots", most: 100, unit: "%" });
  draw(element("plot-memory"), history.memory, { unit: " MB" });
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
