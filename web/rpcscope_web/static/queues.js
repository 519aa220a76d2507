// Charts of one page with data-zoom show the same time: who zooms one, zooms all.
const charts = () => [...document.querySelectorAll("[data-zoom][data-drawn]")];

function follow(source, change) {
  const ends = change["xaxis.range"] ?? [change["xaxis.range[0]"], change["xaxis.range[1]"]];
  const back = change["xaxis.autorange"];
  if (!back && !ends[0]) return;
  const wanted = ends[0] ? [...ends] : [...source.layout.xaxis.range];
  for (const other of charts()) {
    const now = other.layout.xaxis.range;
    if (other !== source && String(now) !== String(wanted)) {
      globalThis.Plotly.relayout(other, { "xaxis.range": [...wanted], "xaxis.autorange": false });
    }
  }
}

new MutationObserver((changes) => {
  for (const { target } of changes) {
    if (target.dataset.zoomed || !target.matches("[data-zoom][data-drawn]")) continue;
    target.dataset.zoomed = "yes";
    // As high as what is drawn: the element alone does not know.
    target.style.minHeight = `${target.layout.height + 18}px`;
    target.on("plotly_relayout", (change) => follow(target, change));
  }
}).observe(document.querySelector("main"), { subtree: true, attributeFilter: ["data-drawn"] });
