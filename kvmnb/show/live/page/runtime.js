// Brings what draws live charts to the page once; every chart waits for it. What stands below this file's end is
// put together in kvmnb/show/live/widget.py.
async function inflate(base64) {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

const libraries = {};

// plotly as a CommonJS module, since an AMD loader on the page would take the library for itself.
function plotly() {
  libraries.plotly ??= inflate("__PLOTLY__").then((text) => {
    const found = { exports: {} };
    new Function("module", "exports", text)(found, found.exports);
    return found.exports;
  });
  return libraries.plotly;
}

function uplot() {
  libraries.uplot ??= inflate("__UPLOT__").then((text) => {
    const style = document.createElement("style");
    style.textContent = "__UPLOT_CSS__";
    document.head.append(style);
    return new Function(`${text}; return uPlot;`)();
  });
  return libraries.uplot;
}
