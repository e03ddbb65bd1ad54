// The little of Markdown that our rubrics use: headings, paragraphs, lists, tables, pictures, bold, italics and code.
// Links are shown as their text: what they lead to is in the repository, not on the host.

export type Inline =
  | { is: "text" | "strong" | "em" | "code"; text: string }
  | { is: "picture"; alt: string; file: string };

export type Block =
  | { is: "heading"; level: number; of: Inline[] }
  | { is: "paragraph"; of: Inline[] }
  | { is: "list"; items: Inline[][] }
  | { is: "table"; head: Inline[][]; rows: Inline[][][] };

export function blocks(text: string): Block[] {
  const found: Block[] = [];
  for (const part of text.split(/\n\s*\n/)) {
    const lines = part.split("\n").filter((line) => line.trim() !== "");
    const first = lines[0];
    if (first === undefined) continue;
    const heading = /^(#{1,6}) (.*)$/.exec(first);
    if (heading !== null) {
      found.push({ is: "heading", level: (heading[1] as string).length, of: inline(heading[2] as string) });
      const rest = lines.slice(1).join("\n");
      if (rest !== "") found.push(...blocks(rest));
    } else if (first.startsWith("|")) {
      const cells = (line: string) => line.replace(/^\||\|$/g, "").split("|").map((cell) => inline(cell.trim()));
      const [head, , ...rows] = lines;
      found.push({ is: "table", head: cells(head as string), rows: rows.map(cells) });
    } else if (/^[*-] /.test(first)) {
      const items: string[] = [];
      for (const line of lines) {
        if (/^[*-] /.test(line)) items.push(line.slice(2));
        else items.push(`${items.pop() ?? ""} ${line.trim()}`);
      }
      found.push({ is: "list", items: items.map(inline) });
    } else found.push({ is: "paragraph", of: inline(lines.join(" ")) });
  }
  return found;
}

const MARKS = /!\[([^\]]*)\]\(([^)]+)\)|\[([^\]]+)\]\([^)]*\)|\*\*([^*]+)\*\*|\*([^*]+)\*|`([^`]+)`/g;

export function inline(text: string): Inline[] {
  const found: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(MARKS)) {
    if (match.index > from) found.push({ is: "text", text: text.slice(from, match.index) });
    const [all, alt, file, link, strong, em, code] = match;
    if (file !== undefined) found.push({ is: "picture", alt: alt ?? "", file });
    else if (link !== undefined) found.push({ is: "text", text: link });
    else if (strong !== undefined) found.push({ is: "strong", text: strong });
    else if (em !== undefined) found.push({ is: "em", text: em });
    else found.push({ is: "code", text: code ?? "" });
    from = match.index + all.length;
  }
  if (from < text.length) found.push({ is: "text", text: text.slice(from) });
  return found;
}

/** The blocks below the heading of this text, up to the next heading as high. */
export function section(all: readonly Block[], title: string): Block[] {
  const named = (block: Block) => block.is === "heading" && block.of.map((one) => ("text" in one ? one.text : "")).join("") === title;
  const at = all.findIndex(named);
  const head = all[at];
  if (head?.is !== "heading") return [];
  const rest = all.slice(at + 1);
  const end = rest.findIndex((block) => block.is === "heading" && block.level <= head.level);
  return end < 0 ? rest : rest.slice(0, end);
}
