// Follows what is stored: the page is asked for again, and its parts (data-part) are exchanged where they differ.
const LEAST_MS = 2000;

function keepOpen(old, fresh) {
  for (const details of fresh.querySelectorAll("details[data-keep]")) {
    details.open = old.querySelector(`details[data-keep="${details.dataset.keep}"]`)?.open ?? details.open;
  }
}

function refocus(part, href, index) {
  const links = [...part.querySelectorAll("a[href]")];
  (links.find((link) => link.getAttribute("href") === href) ?? links[index])?.focus({ preventScroll: true });
}

function exchange(old, fresh) {
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const index = active ? [...old.querySelectorAll("a[href]")].indexOf(active) : -1;
  const scrolled = [...old.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  keepOpen(old, fresh);
  old.replaceChildren(...fresh.childNodes);
  [...old.querySelectorAll(".scroll")].forEach((one, i) => { one.scrollLeft = scrolled[i] ?? 0; });
  if (active) refocus(old, active.getAttribute("href"), index);
}

async function refresh(known) {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) throw new Error("the page is not to be had now");
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const changed = [];
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
    if (!other || known.get(part.dataset.part) === other.innerHTML) continue;
    known.set(part.dataset.part, other.innerHTML);
    exchange(part, other);
    changed.push(part);
  }
  document.dispatchEvent(new CustomEvent("rpcscope:parts", { detail: changed }));
  document.dispatchEvent(new CustomEvent("rpcscope:stored"));
}

export function follow() {
  const address = document.body.dataset.live;
  if (!address) return;
  const sign = document.querySelector("[data-live-link]");
  const away = (is) => {
    sign?.classList.toggle("away", is);
    if (sign) sign.title = is ? "The database or the dashboard can not be reached: tried again" : "";
  };
  const known = new Map();
  let waiting = false, running = false, first = true;

  async function run() {
    if (running) { waiting = true; return; }
    running = true;
    try { await refresh(known); away(false); } catch { away(true); }
    setTimeout(() => { running = false; if (waiting) { waiting = false; run(); } }, LEAST_MS);
  }

  const events = new EventSource(address);
  events.addEventListener("stored", () => {
    away(false);
    if (first) first = false; // it tells of what the page shows already
    else run();
  });
  events.addEventListener("away", () => away(true));
  events.addEventListener("error", () => away(true));
  addEventListener("pagehide", () => events.close());
}
