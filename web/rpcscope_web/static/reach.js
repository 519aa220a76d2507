// What lies beyond an edge is within reach: wide tables by keyboard, the current page in a narrow navigation.
export function reachTables(root) {
  for (const box of root.querySelectorAll(".scroll")) {
    const isCut = box.scrollWidth > box.clientWidth;
    if (isCut && !box.querySelector("a, button, input, select")) box.tabIndex = 0;
  }
}

export function showCurrentPage() {
  const bar = document.querySelector(".top nav");
  const current = bar?.querySelector("[aria-current]");
  if (current) bar.scrollLeft = current.offsetLeft - bar.offsetLeft - (bar.clientWidth - current.offsetWidth) / 2;
}
