// Whether the host serves another version of this page than the one that is open. The page's script is named after its
// content, so the front door tells.

/** The names of scripts that a front door asks for. */
export function scriptsOf(door: string): string[] {
  return [...door.matchAll(/<script\b[^>]*\bsrc="([^"]+)"/g)].map((match) => match[1] as string);
}

/** Another version: the front door names scripts, and ours is not among them. */
export function isStale(own: string, door: string): boolean {
  const scripts = scriptsOf(door);
  return scripts.length > 0 && !scripts.some((script) => own.endsWith(script.replace(/^\.?/, "")));
}
