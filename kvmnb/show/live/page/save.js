// What a reader takes along: a picture, a page, or the numbers.
function download(name, content, type) {
  const link = document.createElement("a");
  link.href = typeof content === "string" && content.startsWith("data:") ? content : URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  if (link.href.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// A cell that a spreadsheet would take for a formula gets a quote in front.
function cell(text) {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function csv(spec, state) {
  const head = ["time", ...state.lines.map((line) => `${line.name} [${line.unit}]`)].map(cell);
  const rows = state.rows.map((row) => [
    new Date(row[0] * 1000).toISOString(),
    ...state.lines.map((_, number) => (typeof row[number + 1] === "number" ? row[number + 1] : "")),
  ]);
  return [head, ...rows].map((row) => row.join(",")).join("\n") + "\n";
}

async function picture(spec, state, plot, format) {
  const P = await plotly();
  const shade = shades(plot);
  const made = layout(spec, state, plot);
  const [width, height] = [Math.max(plot.offsetWidth, 800), HEIGHTS[spec.panels.length] + 60];
  const title = { text: `${plain(spec.question)}<br><sub>${plain(spec.subject)} · ${plain(spec.note)}</sub>`, x: 0.01 };
  const whole = { ...made, title, paper_bgcolor: shade.page, margin: { ...made.margin, t: 80 } };
  return P.toImage({ data: traces(state), layout: whole }, { format, width, height });
}

async function save(kind, spec, state, plot, model) {
  const name = `${spec.file}.${kind}`;
  if (kind === "csv") download(name, csv(spec, state), "text/csv");
  else if (kind === "html") model.send({ kind: "html" });
  else download(name, await picture(spec, state, plot, kind), `image/${kind}`);
}
