/** What an interpreter says of a file that it does not take: `luajit: /srv/a.lua:3: '=' expected near 'x'`. */

/** The line and the message without what stands around it; the whole text where it has another form. */
export interface InterpreterMessage {
  readonly line: number | undefined;
  readonly message: string;
}

const mostCharacters = 2_000;

/**
 * @param text all that it wrote
 * @param copy the path that it was given: messages name it, also shortened at its beginning (`...`) as Lua does
 */
export function parseInterpreterMessage(text: string, copy: string): InterpreterMessage | undefined {
  const lines = text.split("\n").map((line) => line.trimEnd());
  for (const line of lines) {
    const found = /^(?:[\w./+-]+: )?(.+?):(\d+): (.+)$/.exec(line);
    const [, where = "", number, message = ""] = found ?? [];
    if (found && isPath(where, copy))
      return { line: Number(number), message: message.slice(0, mostCharacters) };
  }
  const said = lines.filter((line) => line.trim() !== "").join("\n");
  return said === "" ? undefined : { line: undefined, message: said.slice(0, mostCharacters) };
}

/** Lua shortens long chunk names to 60 characters: `...` and the end. Some programs prefix their own position. */
function isPath(where: string, copy: string): boolean {
  const end = where.lastIndexOf("...");
  const tail = end === -1 ? where.slice(where.lastIndexOf(" ") + 1) : where.slice(end + 3);
  return where.endsWith(copy) || (tail !== "" && copy.endsWith(tail));
}
