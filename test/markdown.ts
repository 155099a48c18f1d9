/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly code: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

/** A heading with what stands below it, up to the next heading of its level or above. */
export interface Section {
  /** As GitHub makes it of the heading. */
  readonly anchor: string;
  readonly text: string;
}

const FENCE = /^( *)```(\w*)[^\n]*\n([\s\S]*?)^\1```$/gm;

/** The fenced blocks of a page, those within lists without their indentation. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(FENCE)].map(({ 1: indent = "", 2: language = "", 3: code = "", index }) => ({
    language,
    code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    line: page.slice(0, index).split("\n").length,
  }));
}

/** The targets of a page's links and pictures. */
export function linksOf(page: string): string[] {
  const text = page.replaceAll(FENCE, "").replaceAll(/`[^`\n]*`/g, "code");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => String(target));
}

export function sectionsOf(page: string): Section[] {
  const text = page.replaceAll(FENCE, (block) => block.replaceAll(/^#/gm, " "));
  const seen = new Map<string, number>();
  const headings = [...text.matchAll(/^(#+) (.+)$/gm)].map(({ 0: line, 1: level = "", 2: title = "", index }) => {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return { level: level.length, anchor: times === 0 ? slug : `${slug}-${times}`, start: index + line.length, index };
  });
  return headings.map(({ level, anchor, start }, position) => {
    const next = headings.slice(position + 1).find((other) => other.level <= level);
    return { anchor, text: text.slice(start, next?.index) };
  });
}
