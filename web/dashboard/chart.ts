// One chart with its legend, and the same numbers as a table.
import uPlot from "uplot";
import { make, row, swatch, table } from "./dom.js";
import { clock } from "./format.js";
import type { Maybe } from "./model.js";
import { type Chart, isEmpty, latest, leastStep, stack, ticks } from "./series.js";

const height = 190;

const style = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** ChartView shows a chart, and goes on to show it as its data change. */
export class ChartView {
  readonly element: HTMLElement;
  private readonly title = make("h3");
  private readonly source = make("p", { class: "note" });
  private readonly legend = make("ul", { class: "legend" });
  private readonly plot = make("div", { class: "plot", role: "img" });
  private readonly empty = make("p", { class: "empty" });
  private readonly details = make("details") as HTMLDetailsElement;
  private readonly numbers = make("div");
  private names: HTMLElement[] = [];
  private values: HTMLElement[] = [];
  private drawn?: uPlot;
  private shape = "";
  private chart?: Chart;
  private time: number[] = [];
  private step = 10;

  constructor() {
    this.details.append(make("summary"), this.numbers);
    this.details.addEventListener("toggle", () => this.tell());
    this.element = make("figure", {}, make("figcaption", {}, this.title, this.source), this.legend, this.plot, this.empty, this.details);
    new ResizeObserver(() => this.fit()).observe(this.plot);
  }

  show(chart: Chart, time: number[], step: number): void {
    [this.chart, this.time, this.step] = [chart, time, step];
    this.element.id = `chart-${chart.id}`;
    this.title.textContent = chart.title;
    this.source.textContent = chart.source;
    this.details.querySelector("summary")!.textContent = `${chart.title} as a table`;
    const nothing = isEmpty(chart);
    this.plot.hidden = this.legend.hidden = this.details.hidden = nothing;
    this.empty.hidden = !nothing;
    this.empty.textContent = chart.empty;
    if (nothing) return this.clear();
    this.draw();
    this.say();
    this.tell();
  }

  /** redraw takes the colours of another scheme. */
  redraw(): void {
    this.clear();
    if (this.chart && !isEmpty(this.chart)) this.draw();
  }

  private clear(): void {
    this.drawn?.destroy();
    this.drawn = undefined;
  }

  private data(): uPlot.AlignedData {
    const lines = this.chart!.lines.map((line) => line.values);
    // The upper ones are drawn first, so that each covers what is below it.
    const drawn = this.chart!.stacked ? stack(lines).reverse() : lines;
    return [this.time, ...drawn] as uPlot.AlignedData;
  }

  private draw(): void {
    const chart = this.chart!;
    const shape = chart.lines.map((line) => `${line.label} ${line.color}`).join("\n");
    if (this.drawn && this.shape == shape) {
      this.drawn.setData(this.data());
      return;
    }
    this.clear();
    this.shape = shape;
    this.values = chart.lines.map(() => make("b"));
    this.names = chart.lines.map((line) => make("span", {}, line.label));
    this.legend.replaceChildren(...chart.lines.map((line, i) => make("li", {}, swatch(line.color), this.names[i]!, ": ", this.values[i]!)));
    const lines = chart.stacked ? [...chart.lines].reverse() : chart.lines;
    const axis = { stroke: style("muted"), grid: { stroke: style("grid"), width: 1 }, ticks: { stroke: style("grid"), width: 1 } };
    this.drawn = new uPlot(
      {
        width: Math.max(200, this.plot.clientWidth),
        height,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        // The axis ends with a tick, so that one stands above the largest value.
        scales: { y: { range: (_, __, most) => [0, ticks(chart.most ?? most, leastStep(chart)).at(-1)!] } },
        axes: [
          { ...axis, values: (_, times) => times.map((t) => clock(t, this.step < 60 && (times[1] ?? t) - times[0]! < 60)) },
          { ...axis, size: 90, splits: (_, __, ___, end) => ticks(end, leastStep(chart)), values: (_, values) => values.map((v) => (this.chart!.onAxis ?? this.chart!.format)(v)) },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.label, stroke: style(line.color), width: 2, spanGaps: false, points: { show: this.time.length < 30 },
            fill: line.fill ? (chart.stacked ? style(line.color) : `${style(line.color)}40`) : undefined,
          })),
        ],
        hooks: { setCursor: [() => this.say()] },
      },
      this.data(),
      this.plot,
    );
  }

  private fit(): void {
    const width = this.plot.clientWidth;
    if (this.drawn && width > 0 && width != this.drawn.width) this.drawn.setSize({ width, height });
  }

  /** say writes the values under the cursor into the legend, or the newest ones. */
  private say(): void {
    const chart = this.chart!;
    const under = this.drawn?.cursor.idx;
    const i = under ?? latest(chart);
    const at = this.time[i];
    // The newest point may not be full yet, and the one before it is of now too.
    const isNow = (under === undefined || under === null) && i >= this.time.length - 2;
    const when = isNow || at === undefined ? "now" : clock(at, this.step < 60);
    chart.lines.forEach((line, n) => {
      const value = this.values[n];
      if (value) value.textContent = chart.format(line.values[i] ?? null);
      const name = this.names[n];
      if (name && line.bare) name.textContent = when;
    });
    const newest = chart.lines.map((line) => `${line.label} ${chart.format(line.values[latest(chart)] ?? null)}`).join(", ");
    this.plot.setAttribute("aria-label", `${chart.title}, chart. Newest: ${newest}. All values are in the table below.`);
    this.plot.title = at === undefined ? "" : `${clock(at, this.step < 60)} · ${chart.source}`;
  }

  /** tell writes the table, if it is open. */
  private tell(): void {
    if (!this.details.open || !this.chart) return;
    const chart = this.chart;
    const rows: HTMLElement[] = [];
    for (let i = this.time.length - 1; i >= 0; i--) {
      if (chart.lines.every((line) => (line.values[i] ?? null) === null)) continue;
      rows.push(row(clock(this.time[i]!, this.step < 60), ...chart.lines.map((line) => chart.format((line.values[i] ?? null) as Maybe))));
    }
    const old = this.numbers.querySelector(".scroll");
    const [focused, top] = [old !== null && old === document.activeElement, old?.scrollTop ?? 0];
    const now = table(`${chart.title}, ${chart.source}`, ["Time", ...chart.lines.map((line) => line.label)], rows);
    this.numbers.replaceChildren(now);
    now.scrollTop = top;
    if (focused) now.focus({ preventScroll: true });
  }
}
