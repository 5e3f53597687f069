/** A minimal `require` for tests of the standard library alone; the real one is src/lua/require.ts. */

import { readFileSync } from "node:fs";
import { lauxlib, lua, type lua_State } from "#fengari";
import { pushText, setFunction, textAt, toBytes } from "../../src/lua/stack.ts";

/** Sets the global `require`: package.loaded, package.preload, then the templates of `path`; +0. */
export function installTestRequire(L: lua_State, path: string): void {
  lua.lua_pushglobaltable(L);
  setFunction(L, "read_source", (L) => {
    try {
      pushText(L, readFileSync(textAt(L, 1) ?? "", "latin1"));
    } catch {
      lua.lua_pushnil(L);
    }
    return 1;
  });
  lua.lua_pop(L, 1);
  const source = toBytes(lua_require.replace("PATH", JSON.stringify(path)));
  if (lauxlib.luaL_loadstring(L, source) || lua.lua_pcall(L, 0, 0, 0)) throw new Error(textAt(L, -1));
}

const lua_require = `
local read, loaded, preload = read_source, package.loaded, package.preload
read_source = nil
package.path = PATH
local function find(name)
  if preload[name] then return preload[name] end
  for template in package.path:gmatch("[^;]+") do
    local path = template:gsub("%?", (name:gsub("%.", "/")))
    local source = read(path)
    if source then return assert(loadstring(source, "@" .. path)) end
  end
  error("module '" .. name .. "' not found", 3)
end
function require(name)
  if loaded[name] then return loaded[name] end
  local result = find(name)(name)
  if result ~= nil then loaded[name] = result end
  if loaded[name] == nil then loaded[name] = true end
  return loaded[name]
end
`;
