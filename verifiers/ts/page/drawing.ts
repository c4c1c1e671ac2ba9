/** Draws the way from a row to a signature as far as a verifier got, each sibling at its side. */

import { Code, type Step, type Verdict } from "../src/index.js";

const WIDTH = 440;
const CENTRE = WIDTH / 2;
const BOX = { width: 230, height: 48 };
const SIBLING = { width: 98, height: 22 };
const GAP = 26;

type Attributes = Record<string, string | number>;

function shape(name: string, attributes: Attributes, text?: string): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
  if (text !== undefined) made.textContent = text;
  return made;
}

const short = (hash: string) => `${hash.slice(0, 10)}…${hash.slice(-6)}`;

class Drawing {
  private readonly shapes: SVGElement[] = [];
  private y = 1;

  private add(name: string, attributes: Attributes, text?: string): SVGElement {
    const made = shape(name, attributes, text);
    this.shapes.push(made);
    return made;
  }

  private text(y: number, text: string, size: number, className = "", x = CENTRE): void {
    this.add("text", { x, y, "text-anchor": "middle", "font-size": size, class: className }, text);
  }

  box(title: string, detail: string, isEnd = false): void {
    const x = CENTRE - BOX.width / 2;
    this.add("rect", { x, y: this.y, ...BOX, rx: 4, class: isEnd ? "box end" : "box" });
    this.text(this.y + 20, title, 12.5);
    this.text(this.y + 37, detail, 11.5, "hash");
    this.y += BOX.height;
  }

  line(length: number, className = "trunk"): void {
    this.add("line", { x1: CENTRE, x2: CENTRE, y1: this.y, y2: this.y + length, class: className });
    this.y += length;
  }

  sibling({ hash, side }: Step["siblings"][number]): void {
    const x = side === "left" ? 1 : WIDTH - SIBLING.width - 1;
    const from = side === "left" ? x + SIBLING.width : x;
    const y = this.y + 8;
    const joint = y + SIBLING.height / 2 + 8;
    const middle = y + SIBLING.height / 2;
    this.add("path", { d: `M ${from} ${middle} H ${CENTRE + (side === "left" ? -8 : 8)} Q ${CENTRE} ${middle} ${CENTRE} ${joint}`, class: "branch" });
    this.line(SIBLING.height + 12);
    this.add("circle", { cx: CENTRE, cy: joint, r: 2.5 });
    const box = this.add("rect", { x, y, ...SIBLING, rx: 3, class: "box" });
    box.append(shape("title", {}, hash));
    this.text(y + 15, `${hash.slice(0, 8)}…`, 10.5, "hash sibling", x + SIBLING.width / 2);
  }

  siblings(all: Step["siblings"]): void {
    all.forEach((sibling) => this.sibling(sibling));
    this.line(GAP - 8);
  }

  svg(): SVGElement {
    const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${this.y + 2}`, role: "img", "aria-label": "the path from the row to the signature" });
    svg.append(...this.shapes);
    return svg;
  }
}

/** The drawing, if a receipt's path was followed at all. After a failure it ends above what did hold. */
export function draw({ code, failure, report }: Verdict): SVGElement | undefined {
  const { row, log } = report.path;
  if (log.length === 0) return undefined;
  const drawing = new Drawing();
  if (failure && code !== Code.Valid) {
    drawing.box(failure.what, "does not hold", true);
    drawing.line(GAP, "broken");
  } else if (report.row.length > 0) {
    drawing.box(`${report.row.length} ${report.row.length === 1 ? "field" : "fields"}, each with its salt`, "as shown");
    drawing.line(GAP);
  }
  follow(drawing, row, "within");
  follow(drawing, log, "trunk");
  const ledger = report.facts.find(([name]) => name === "ledger")?.[1] ?? "";
  drawing.box("signed with the key you pinned", ledger.length > 32 ? `${ledger.slice(0, 16)}…${ledger.slice(-12)}` : ledger, code === Code.Valid);
  return drawing.svg();
}

/** Boxes of hashes with their siblings between; the line that leaves the last is of the class `last`. */
function follow(drawing: Drawing, steps: Step[], last: string): void {
  steps.forEach(({ title, hash, siblings }, i) => {
    drawing.box(title, short(hash));
    if (siblings.length > 0) drawing.siblings(siblings);
    else drawing.line(GAP, i + 1 === steps.length ? last : "trunk");
  });
}
