/** The host that a request names, in its Host header or its request line. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const refused = /[\x00-\x20/\x7f]/;

/**
 * Host without port, in lower case; undefined when nginx would refuse it: empty, two dots in a row, a port that is
 * no number, a slash, a control character (ngx_http_validate_host). Literal IPv6 addresses keep their brackets.
 */
export function parseHost(given: string): string | undefined {
  const match = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(given);
  const name = match?.[1]?.toLowerCase().replace(/\.$/, "");
  if (name === undefined || name === "" || name.includes("..") || refused.test(given)) return undefined;
  return name;
}
