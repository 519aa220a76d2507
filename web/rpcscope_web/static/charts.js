// Charts: an element with data-figure is filled with the figure of that address, once it comes into sight.
import { withoutStyleElements } from "./policy.js";

const base = new URL(".", import.meta.url);
const drawn = new Map();
let loading = null;

function plotly() {
  loading ??= withoutStyleElements(() => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = new URL("plotly.min.js", base);
    script.onload = () => done(globalThis.Plotly);
    script.onerror = () => { loading = null; failed(new Error("plotly.js is not to be had")); };
    document.head.append(script);
  }));
  return loading;
}

// "var(--name)" becomes what the theme says now.
function coloured(value, style) {
  if (typeof value === "string") {
    const name = /^var\((--[a-z0-9-]+)\)$/.exec(value)?.[1];
    return name ? style.getPropertyValue(name).trim() : value;
  }
  if (Array.isArray(value)) return value.map((one) => coloured(one, style));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one, style)]));
  }
  return value;
}

// plotly shows times as they are written: they are written in the viewer's zone.
function inZone(value) {
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) {
    const at = new Date(value);
    return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, -1);
  }
  return value;
}

function paint(element) {
  const { figure, Plotly } = drawn.get(element);
  const style = getComputedStyle(document.documentElement);
  const data = coloured(figure.data, style).map((trace) => ({ ...trace, x: trace.x?.map(inZone) }));
  const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "toImage"] };
  const layout = { height: 260, ...coloured(figure.layout, style) };
  if (layout.xaxis?.range) layout.xaxis.range = layout.xaxis.range.map(inZone);
  Plotly.react(element, data, layout, options);
}

function say(element, text) {
  let hint = element.querySelector(":scope > p.hint");
  if (!text) { hint?.remove(); return; }
  if (!hint) element.append(hint = Object.assign(document.createElement("p"), { className: "hint" }));
  hint.textContent = text;
}

async function draw(element) {
  try {
    const response = await fetch(element.dataset.figure);
    const figure = await response.json();
    if (!response.ok) throw new Error(figure.detail);
    const empty = !figure.data.length;
    say(element, empty ? "Nothing was stored for this time." : "");
    element.toggleAttribute("data-empty", empty);
    if (empty) return;
    drawn.set(element, { figure, Plotly: await plotly() });
    paint(element);
    element.dataset.drawn = "yes";
  } catch (error) {
    say(element, `The chart can not be drawn: ${error.message}`);
  }
}

const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    sight.unobserve(entry.target);
    draw(entry.target);
  }
}, { rootMargin: "200px" });

export function drawCharts(root) {
  for (const element of root.querySelectorAll("[data-figure]")) sight.observe(element);
}

document.addEventListener("rpcscope:theme", () => { for (const element of drawn.keys()) paint(element); });
document.addEventListener("rpcscope:stored", () => { for (const element of drawn.keys()) draw(element); });
