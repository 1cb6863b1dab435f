"use strict";
// Unpacks plotly.js, which the page carries, and draws each figure; without it the tables say the same.
(async () => {
  const packed = document.getElementById("plotly");
  const figures = document.querySelectorAll("figure.drawing");
  if (!packed || !figures.length || !globalThis.DecompressionStream) return;
  const bytes = Uint8Array.from(atob(packed.textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const code = new Blob([await new Response(stream).blob()], { type: "text/javascript" });
  const script = document.createElement("script");
  script.src = URL.createObjectURL(code);
  await new Promise((done, failed) => {
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  for (const one of figures) {
    const { data, layout, config } = JSON.parse(one.querySelector("script").textContent);
    await globalThis.Plotly.newPlot(one.querySelector(".place"), data, layout, { ...config, responsive: true });
  }
  globalThis.addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll(".drawing details")) fold.open = true;
  });
  document.documentElement.dataset.drawn = String(figures.length);
})();
