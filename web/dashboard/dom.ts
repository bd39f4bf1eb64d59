// Small helpers to make elements. Text from outside is always text, never markup.

type Child = Node | string | null | undefined;

export const byId = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (!found) throw Error(`no element ${id}`);
  return found;
};

export function make(name: string, properties: Record<string, string> = {}, ...children: Child[]): HTMLElement {
  const out = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) out.setAttribute(key, value);
  out.append(...children.filter((c): c is Node | string => c !== null && c !== undefined));
  return out;
}

export const svg = (name: string, attributes: Record<string, string>): SVGElement => {
  const out = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) out.setAttribute(key, value);
  return out;
};

/** bar shows a share of a whole, with a mark at another one. The number stands beside it in words, so it is hidden from screen readers. */
export function bar(share: number, mark?: number): SVGElement {
  const out = svg("svg", { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" });
  out.append(svg("rect", { class: "track", width: "100", height: "8" }), svg("rect", { class: "part", width: String(100 * Math.min(1, Math.max(0, share))), height: "8" }));
  if (mark !== undefined) out.append(svg("rect", { class: "mark", x: String(100 * mark - 0.4), y: "-3", width: "0.8", height: "14" }));
  return out;
}

/** swatch is a square in the colour of a line. */
export function swatch(color: string): SVGElement {
  const out = svg("svg", { viewBox: "0 0 12 12", "aria-hidden": "true", focusable: "false" });
  out.append(svg("rect", { class: color, width: "12", height: "12" }));
  return out;
}

/** table makes a table that can be scrolled with the keyboard. The first cell of a row is its header. */
export function table(name: string, columns: string[], rows: HTMLElement[]): HTMLElement {
  const head = make("tr", {}, ...columns.map((c) => make("th", { scope: "col" }, c)));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name },
    make("table", { "aria-label": name }, make("thead", {}, head), make("tbody", {}, ...rows)));
}

/** panel is a table with its units and sources, which stay in view when it is scrolled. */
export const panel = (note: string, name: string, columns: string[], rows: HTMLElement[]): HTMLElement =>
  make("div", { class: "panel" }, make("p", { class: "note" }, note), table(name, columns, rows));

/**
 * cards makes each row a card on a phone, where columns have no room. Such rows are no table to some browsers, so that roles say that
 * they are.
 */
export function cards(panel: HTMLElement): HTMLElement {
  const roles: [string, string][] = [["table", "table"], ["thead, tbody", "rowgroup"], ["tr", "row"], ["thead th", "columnheader"], ["tbody th", "rowheader"], ["td", "cell"]];
  for (const [selector, role] of roles) panel.querySelectorAll(selector).forEach((e) => e.setAttribute("role", role));
  const names = [...panel.querySelectorAll("thead th")].map((th) => th.textContent ?? "");
  panel.querySelectorAll("tbody tr").forEach((tr) => [...tr.children].forEach((cell, i) => cell.setAttribute("data-label", names[i] ?? "")));
  panel.classList.add("cards");
  return panel;
}

export const row = (name: string, ...cells: (string | HTMLElement)[]): HTMLElement =>
  make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((c) => (typeof c == "string" ? make("td", {}, c) : c)));

/** fill replaces what an element has, unless a person is using it with the keyboard and it stays the same kind of thing. */
export function fill(id: string, ...children: Child[]): void {
  const old = byId(id);
  const inside = old.contains(document.activeElement) ? document.activeElement : null;
  const scrolled = old.querySelector(".scroll");
  const [left, top] = [scrolled?.scrollLeft ?? 0, scrolled?.scrollTop ?? 0];
  const links = inside instanceof HTMLAnchorElement ? inside.href : "";
  old.replaceChildren(...children.filter((c): c is Node | string => c !== null && c !== undefined));
  const now = old.querySelector<HTMLElement>(".scroll");
  if (now) [now.scrollLeft, now.scrollTop] = [left, top];
  if (inside instanceof HTMLElement && inside.classList.contains("scroll")) now?.focus({ preventScroll: true });
  if (links) [...old.querySelectorAll("a")].find((a) => a.href == links)?.focus({ preventScroll: true });
}
