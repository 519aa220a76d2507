// What every page has. A page's own module is static/<noun>.js; it may listen to "rpcscope:parts" on the document.
import { drawCharts } from "./charts.js";
import { follow } from "./live.js";
import { listenToKeys } from "./keys.js";
import { fillRangeForm } from "./range.js";
import { reachTables, showCurrentPage } from "./reach.js";
import { listenToTheme } from "./themes.js";
import { localTimes } from "./times.js";

function dress(root) {
  localTimes(root);
  drawCharts(root);
  reachTables(root);
}

dress(document);
document.addEventListener("rpcscope:parts", (event) => event.detail.forEach(dress));
showCurrentPage();
fillRangeForm();
listenToTheme();
listenToKeys();
follow();
