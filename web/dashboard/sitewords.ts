// What the page says of sites: the worst one, and all of them as a table.
import { bar, cards, make, panel, row } from "./dom.js";
import * as format from "./format.js";
import { limits, scale, type Site } from "./sites.js";

/** source is whose reports tell of lines: seeders can be inside of a site too. */
const source = "reports of viewers and seeders";

/** worstFigure names the site first: it is what to look after. The time range is in words. */
export function worstFigure(worst: Site, range: string, more = ""): HTMLElement {
  return make("div", { id: "figure-worst" }, make("dt", {}, "Worst site"), make("dd", { class: `value ${worst.verdict}` }, worst.name),
    make("dd", { class: `said ${worst.verdict}` }, `${format.copies(worst.copies)}\u00a0copies on its line (1\u00a0is enough)`),
    make("dd", { class: "note" }, `${worst.word}${more}; last ${worst.past ? range : "minute"}; source: ${source}`));
}

/** sitesPanel is the table of sites; when says of which time its figures are. */
export function sitesPanel(sites: Site[], when: string, withOffload: boolean): HTMLElement {
  const most = scale(sites);
  const rows = sites.map((s) => {
    const copies = make("td", { class: `copies ${s.verdict}` }, ...(s.copies === null ? ["–"] : [make("span", { class: "number" }, `${format.copies(s.copies)}\u00a0copies`), " ", make("span", { class: "word" }, s.word), bar(s.copies / most, 1 / most)]));
    const out = row(s.name, copies, format.bits(s.lineBitsPerSecond), format.count(s.viewers), ...(withOffload ? [format.percent(s.offload)] : []));
    // What is too much is the copies. The other figures of the site may be good.
    if (s.verdict == "bad") out.firstElementChild!.classList.add("bad");
    return out;
  });
  const out = panel(`Copies: media on the line ÷ one copy of what is played; the mark on a bar is 1 copy. ${limits} ${when} Source: ${source}`,
    "Sites, worst first", ["Site", "Copies on the line", "Line", "Viewers", ...(withOffload ? ["Offload"] : [])], rows);
  out.querySelectorAll("thead th")[1]!.classList.add("copies");
  return cards(out);
}
