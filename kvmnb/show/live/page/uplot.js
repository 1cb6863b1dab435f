// The engine for charts of many lines: one canvas for each panel.
const DENSE_GAP = "rgba(128,128,128,.18)";
const AXIS = 72;

function dashed(name) {
  return { solid: [], dash: [9, 5], dot: [2, 4] }[name];
}

function told(value, panel) {
  if (value === null || value === undefined) return "";
  const sizes = panel.steps ? [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] : [];
  const [size, letter] = sizes.find(([one]) => Math.abs(value) >= one) ?? [1, ""];
  return `${+(value / size).toPrecision(3)}${letter ? ` ${letter}${panel.suffix.trim()}` : panel.suffix}`;
}

async function uplotEngine(plot, spec, state) {
  const U = await uplot();
  let panels = [];
  const near = document.createElement("p");
  near.className = "kvmnb-near";

  const mine = (panel) => [...state.lines.keys()].filter((number) => state.lines[number].panel === panel);
  // A value that was not due is undefined, which joins its neighbours; null is a gap.
  const column = (number) => state.rows.map((row) => (row[number + 1] === false ? undefined : row[number + 1]));
  const data = (panel) => [state.rows.map((row) => row[0]), ...mine(panel).map(column)];

  function marks(u) {
    const { ctx, bbox } = u;
    const { gaps, events } = marked(state);
    const at = (time) => u.valToPos(time, "x", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = DENSE_GAP;
    for (const [begin, end] of gaps) ctx.fillRect(at(begin), bbox.top, Math.max(1, at(end) - at(begin)), bbox.height);
    const { text } = shades(plot);
    ctx.strokeStyle = ctx.fillStyle = text;
    ctx.setLineDash([2, 3]);
    ctx.textAlign = "right";
    for (const [time, words] of events) {
      ctx.beginPath();
      ctx.moveTo(at(time), bbox.top);
      ctx.lineTo(at(time), bbox.top + bbox.height);
      ctx.stroke();
      ctx.fillText(words.slice(0, 28), at(time) - 3, bbox.top + 12 * devicePixelRatio);
    }
    ctx.restore();
  }

  function options(panel, number, width, height) {
    const shade = shades(plot);
    const axis = { stroke: shade.text, grid: { stroke: shade.grid, width: 1 }, ticks: { stroke: shade.grid, width: 1 } };
    const lines = mine(number);
    return {
      width, height, legend: { show: false }, padding: [14, 12, 0, 0],
      cursor: { sync: { key: "kvmnb" }, focus: { prox: 24 }, drag: { x: true, y: false, setScale: false } },
      focus: { alpha: 0.25 },
      scales: { y: { range: (u, low, high) => [0, Math.max(panel.least, (high ?? 0) * 1.05) || 1] } },
      axes: [
        { ...axis, values: (u, ticks) => ticks.map(shortClock) },
        { ...axis, size: AXIS, label: panel.axis, labelSize: 18, values: (u, ticks) => ticks.map((one) => told(one, panel)) },
      ],
      series: [{}, ...lines.map((line) => ({
        label: state.lines[line].label, stroke: state.lines[line].colour[dark() ? 1 : 0], width: 1.5,
        dash: dashed(state.lines[line].dash), points: { show: false },
      }))],
      hooks: {
        drawClear: [marks],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          const range = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          share(range, null);
        }],
        setSeries: [(u, which) => {
          const line = which && state.lines[lines[which - 1]];
          const value = which && u.cursor.idx !== null ? u.data[which][u.cursor.idx] : null;
          near.textContent = line ? `${line.label} ${line.verb} ${told(value, panel)}` : "";
        }],
      },
    };
  }

  function size() {
    const width = plot.offsetWidth || 600;
    return [width, Math.floor((HEIGHTS[spec.panels.length] - 22) / spec.panels.length)];
  }

  function build() {
    panels.forEach((one) => one.destroy());
    plot.replaceChildren();
    const [width, height] = size();
    panels = spec.panels.map((panel, number) => {
      const one = new U(options(panel, number + 1, width, height), data(number + 1), plot);
      one.over.addEventListener("dblclick", () => share(null, null));
      return one;
    });
    plot.append(near);
    link();
  }

  function link() {
    const times = state.rows;
    if (!times.length) return;
    const [min, max] = page.range ?? [times[0][0], times[times.length - 1][0]];
    for (const one of panels) one.setScale("x", { min, max });
  }

  build();
  page.charts.add(link);
  return {
    dense: true,
    draw: build,
    more() {
      panels.forEach((one, number) => one.setData(data(number + 1), page.range === null));
      if (page.range) link();
    },
    resize() {
      const [width, height] = size();
      for (const one of panels) if (one.width !== width) one.setSize({ width, height });
    },
    destroy() {
      page.charts.delete(link);
      panels.forEach((one) => one.destroy());
      plot.replaceChildren();
    },
  };
}
