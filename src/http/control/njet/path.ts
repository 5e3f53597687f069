/** Which module of NJet's configuration API a request target means. */

/**
 * The segments below `/api/v1/config` as NJet counts them, after nginx has decoded the path, merged slashes and
 * resolved dots: `[]` for the list, `["http_lua"]`, … Undefined when the target is somewhere else.
 * (njt_http_api_parse_path in njt_ctrl_config_api_module.c)
 */
export function configPath(target: string): readonly string[] | undefined {
  const [encoded = ""] = target.split(/[?#]/, 1);
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  const [api, version, config, ...rest] = segments;
  return api === "api" && version === "v1" && config === "config" ? rest : undefined;
}
